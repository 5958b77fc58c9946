//! The component that the build script translated, loaded into an engine.

use wasmtime::Engine;
use wasmtime::component::Component;

pub(crate) use self::loading::load;

/// What is loaded.
pub(crate) struct Loaded {
    pub(crate) engine: Engine,
    pub(crate) component: Component,
}

/// A multiple of the page size, so that the code in it begins with a page.
#[repr(C, align(4096))]
struct Aligned<B: ?Sized>(B);

static TRANSLATED: &Aligned<[u8]> = &Aligned(*include_bytes!(concat!(env!("OUT_DIR"), "/imds.cwasm")));

/// Where it lies in the program: to copy it would take half of a start.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod loading {
    use std::ffi::c_void;
    use std::ptr::NonNull;
    use std::sync::{Arc, Mutex, PoisonError};

    use rustix::mm::{MprotectFlags, mprotect};
    use wasmtime::component::Component;
    use wasmtime::{CustomCodeMemory, Engine};

    use super::{Aligned, Loaded, TRANSLATED};
    use crate::engine::config::config;

    /// One for the process: wasmtime knows code by its addresses, so that it can be
    /// loaded from one place once.
    static LOADED: Mutex<Option<Loaded>> = Mutex::new(None);

    /// The engine and the component, which all runtimes of a process share.
    pub(crate) fn load() -> wasmtime::Result<Loaded> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let Loaded { engine, component } = match &mut *loaded {
            Some(loaded) => loaded,
            none => none.insert(load_in_place()?),
        };
        Ok(Loaded { engine: engine.clone(), component: component.clone() })
    }

    #[allow(unsafe_code)]
    fn load_in_place() -> wasmtime::Result<Loaded> {
        let mut in_place = config();
        if rustix::param::page_size() > align_of::<Aligned<u8>>() {
            return super::load_copy(&in_place);
        }
        in_place.with_custom_code_memory(Some(Arc::new(InTheProgram)));
        let engine = Engine::new(&in_place)?;
        // Sound: these are the bytes that the build script had from the same version
        // of wasmtime, which checks version and configuration, and they are part of
        // the program: who can change them can change the program. They live as long
        // as the process, and no one writes to constants.
        let component = unsafe { Component::deserialize_raw(&engine, NonNull::from(&TRANSLATED.0)) };
        match component {
            Ok(component) => Ok(Loaded { engine, component }),
            // A system may forbid to run constants.
            Err(_) => super::load_copy(&config()),
        }
    }

    /// Code among the constants of the program.
    struct InTheProgram;

    impl CustomCodeMemory for InTheProgram {
        fn required_alignment(&self) -> usize {
            align_of::<Aligned<u8>>()
        }

        #[allow(unsafe_code)]
        fn publish_executable(&self, code: *const u8, length: usize) -> wasmtime::Result<()> {
            let constants = TRANSLATED.0.as_ptr_range();
            let room = constants.end.addr().saturating_sub(code.addr());
            if code < constants.start || room < length {
                return Err(wasmtime::Error::msg("the code is not that of the program"));
            }
            // Sound: these are whole pages, which wasmtime promises, of constants of
            // code alone; they stay what they are and can be read as before. This
            // processor sees code as soon as it can be run.
            unsafe { mprotect(code.cast_mut().cast::<c_void>(), length, MprotectFlags::READ | MprotectFlags::EXEC) }?;
            Ok(())
        }

        /// They were never writable, and stay as they are until the process ends.
        fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
            Ok(())
        }
    }
}

/// A copy for each runtime, where nobody has tried more.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod loading {
    use super::Loaded;
    use crate::engine::config::config;

    pub(crate) fn load() -> wasmtime::Result<Loaded> {
        super::load_copy(&config())
    }
}

/// Copies it to memory of its own.
#[allow(unsafe_code)]
fn load_copy(config: &wasmtime::Config) -> wasmtime::Result<Loaded> {
    let engine = Engine::new(config)?;
    // Sound: for the reasons above; it is copied from here.
    let component = unsafe { Component::deserialize(&engine, &TRANSLATED.0) }?;
    Ok(Loaded { engine, component })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use crate::{Moment, Request, Runtime};

    #[test]
    fn runtimes_that_come_and_go_share_the_code() {
        let answers = || {
            let instance = Runtime::new().unwrap().open(&Default::default()).unwrap();
            instance.answer(&Request::get("/"), Moment::at(0, 0)).status
        };
        let kept = Runtime::new().unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..4).for_each(|_| assert_eq!(answers(), 200)));
            }
        });
        assert!(kept.schema().unwrap().starts_with('{'));
    }

    /// A constant that is run must not be written to.
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[test]
    fn nothing_that_runs_can_be_written_to() {
        let _runtime = Runtime::new().unwrap();
        let code = super::TRANSLATED.0.as_ptr_range();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut runs = false;
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let [start, end] = [start, end].map(|at| usize::from_str_radix(at, 16).unwrap());
            if start < code.end.addr() && code.start.addr() < end {
                assert!(!rest.starts_with("rw"), "{line}");
                runs |= rest.starts_with("r-x");
            }
        }
        assert!(runs, "{maps}");
    }
}
