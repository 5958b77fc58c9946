//! The export `answer`, written by hand, since it is called for every request.
//!
//! What a generator writes hands out two new lists with each answer, and a second
//! export that frees them. Here the lists are lent: the head lies in memory that is
//! used again, the body where it lies in the instance. They are good until the next
//! call, and no host can look at them later: it has the memory to itself only
//! between two calls. So there is no export `cabi_post_…` for it.

#![allow(unsafe_code)]

use core::cell::UnsafeCell;
use core::mem::{ManuallyDrop, offset_of, size_of};
use core::ptr;
use std::borrow::Cow;

use super::wit::InstanceBorrow;
use crate::http::answer::Buffers;
use crate::http::{Answer, RequestBody};
use crate::{Delivery, Instance, Moment, Signatures};

/// An answer as the canonical ABI lays it out: the record `answer` of
/// `wit/imds.wit`, field by field.
#[repr(C, align(8))]
struct Returned {
    head: List,
    body: List,
    status: u16,
    outcome: u8,
    session_version: Optional<u8>,
    hop_limit: Optional<u8>,
    delivery: Optional<Variant<u32>>,
    request_body: Variant<u64>,
    keep_alive: bool,
    throttle_state: u64,
    to_sign: Optional<ToSign>,
}

const _: () = {
    assert!(offset_of!(Returned, session_version) == 19);
    assert!(offset_of!(Returned, hop_limit) == 21);
    assert!(offset_of!(Returned, delivery) == 24);
    assert!(offset_of!(Returned, request_body) == 40);
    assert!(offset_of!(Returned, keep_alive) == 56);
    assert!(offset_of!(Returned, throttle_state) == 64);
    assert!(offset_of!(Returned, to_sign) == 72);
    assert!(size_of::<Returned>() == 96);
};

#[derive(Clone, Copy)]
#[repr(C)]
struct List {
    at: *const u8,
    length: usize,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Optional<T> {
    is_given: u8,
    value: T,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Variant<T> {
    case: u8,
    value: T,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct ToSign {
    text: List,
    signing_time_ms: u64,
}

impl List {
    const EMPTY: List = List { at: ptr::null(), length: 0 };

    fn of(bytes: &[u8]) -> List {
        List { at: bytes.as_ptr(), length: bytes.len() }
    }
}

impl<T> Optional<T> {
    fn of(value: Option<T>, otherwise: T) -> Optional<T> {
        Optional { is_given: value.is_some().into(), value: value.unwrap_or(otherwise) }
    }
}

impl<T> Variant<T> {
    const fn new(case: u8, value: T) -> Variant<T> {
        Variant { case, value }
    }
}

/// What is lent with the last answer.
#[derive(Default)]
struct Lent {
    buffers: Buffers,
    /// A body that lies in no instance.
    body: Vec<u8>,
    to_sign: String,
    returned: Option<Returned>,
}

/// One for the component, which has one thread.
struct Single(UnsafeCell<Option<Lent>>);

// SAFETY: there is one thread.
unsafe impl Sync for Single {}

static LENT: Single = Single(UnsafeCell::new(None));

/// Answers one request; see `wit/imds.wit`. The parameters are those of the
/// contract, flattened: an option is a flag and what it holds.
#[unsafe(export_name = "imds:service/metadata@0.2.0#[method]instance.answer")]
unsafe extern "C" fn answer(
    instance: *const u8,
    head: *mut u8,
    head_length: usize,
    now_ms: u64,
    entropy: u64,
    throttle_state: u64,
    request_number: u64,
    over_ipv6: u32,
    keep_alive: u32,
    has_signatures: u32,
    signature: *mut u8,
    signature_length: usize,
    pkcs7: *mut u8,
    pkcs7_length: usize,
    rsa2048: *mut u8,
    rsa2048_length: usize,
) -> *const Returned {
    // SAFETY: the host passes a live instance of this component, and lists that it
    // allocated by `cabi_realloc` for this call, which are the callee's to free.
    // Strings are valid UTF-8: the host checked them.
    let (instance, head, signatures) = unsafe {
        let text = |at, length| String::from_utf8_unchecked(Vec::from_raw_parts(at, length, length));
        let signatures = (has_signatures != 0).then(|| Signatures {
            signature: text(signature, signature_length),
            pkcs7: text(pkcs7, pkcs7_length),
            rsa2048: text(rsa2048, rsa2048_length),
        });
        let instance = ManuallyDrop::new(InstanceBorrow::lift(instance));
        // It outlives the answer that borrows from it: the host drops it between calls.
        let instance: &'static Instance = &*ptr::from_ref(instance.get::<Instance>());
        (instance, Vec::from_raw_parts(head, head_length, head_length), signatures)
    };
    let moment = Moment {
        now_ms,
        entropy,
        throttle_state,
        request_number,
        over_ipv6: over_ipv6 != 0,
        keep_alive: keep_alive != 0,
    };
    // SAFETY: there is one thread, and a call that has not returned is not entered again.
    let lent = unsafe { &mut *LENT.0.get() }.get_or_insert_with(Lent::default);
    let answer = instance.answer_with(&head, moment, signatures.as_ref(), &mut lent.buffers);
    lent.lend(answer)
}

impl Lent {
    /// Keeps an answer until the next one.
    fn lend(&mut self, answer: Answer<'static>) -> *const Returned {
        self.buffers.head = answer.head;
        let body = match answer.body {
            Cow::Borrowed(bytes) => List::of(bytes),
            Cow::Owned(bytes) => {
                self.body = bytes;
                List::of(&self.body)
            }
        };
        let delivery = answer.delivery.map(|delivery| match delivery {
            Delivery::Delayed(ms) => Variant::new(0, ms),
            Delivery::Closed => Variant::new(1, 0),
            Delivery::Cut => Variant::new(2, 0),
            Delivery::Withheld => Variant::new(3, 0),
        });
        let to_sign = answer.to_sign.map(|document| {
            self.to_sign = document.text;
            ToSign { text: List::of(self.to_sign.as_bytes()), signing_time_ms: document.signing_time_ms }
        });
        let version = answer.session_version.map(|version| super::session_version(version) as u8);
        self.returned.insert(Returned {
            head: List::of(&self.buffers.head),
            body,
            status: answer.status,
            outcome: super::outcome(answer.outcome) as u8,
            session_version: Optional::of(version, 0),
            hop_limit: Optional::of(answer.hop_limit, 0),
            delivery: Optional::of(delivery, Variant::new(0, 0)),
            request_body: match answer.request_body {
                RequestBody::None => Variant::new(0, 0),
                RequestBody::Length(length) => Variant::new(1, length),
                RequestBody::Chunked => Variant::new(2, 0),
                RequestBody::Unknown => Variant::new(3, 0),
            },
            keep_alive: answer.keep_alive,
            throttle_state: answer.throttle_state,
            to_sign: Optional::of(to_sign, ToSign { text: List::EMPTY, signing_time_ms: 0 }),
        })
    }
}
