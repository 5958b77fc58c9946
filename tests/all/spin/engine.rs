//! An engine for the Spin adapter: wasmtime's own HTTP host with the interfaces
//! that the adapter imports. What Spin does with an HTTP request on the way to
//! the adapter, this does too.

use std::future::pending;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Empty, Full};
use wasmtime::component::{Component, GuestTaskId, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store, StoreContextMut};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView, p2, p3,
};

use super::interfaces;
use super::store::{self, Values};
use crate::shell::{shell, workspace};
use crate::ways::TOKIO;

/// The adapter with the component inside, as `spin.toml` builds and composes them.
pub static WASI_0_3: LazyLock<Adapter> = LazyLock::new(|| {
    LazyLock::force(&TARGET);
    let commands = spin_toml()["component"]["imds"]["build"]["command"].clone();
    for command in commands.as_array().expect("there are commands") {
        shell(command.as_str().expect("a command is text"));
    }
    Adapter::load("imds_spin.wasm")
});

/// The component for operators, as `spin.toml` builds and composes it.
pub static CONTROL: LazyLock<Adapter> = LazyLock::new(|| {
    // What it is composed with.
    LazyLock::force(&WASI_0_3);
    let command = spin_toml()["component"]["imds-control"]["build"]["command"].clone();
    shell(command.as_str().expect("a command is text"));
    Adapter::load("imds_spin_control.wasm")
});

/// The adapter for engines without WASI 0.3, as docs/spin.md builds it.
pub static WASI_0_2: LazyLock<Adapter> = LazyLock::new(|| {
    LazyLock::force(&TARGET);
    let page = std::fs::read_to_string(workspace().join("docs/spin.md")).expect("docs/spin.md can be read");
    let command = page.lines().find(|line| line.contains("--package imds-spin-wasi-0-2"));
    shell(command.expect("docs/spin.md says how to build it"));
    Adapter::load("imds_spin_wasi_0_2.wasm")
});

/// A file for engines without Spin's interfaces.
pub fn built_by(command: &str, file: &str) -> Adapter {
    // Two builds at once would take each other's parts.
    static BUILDS: Mutex<()> = Mutex::new(());
    let building = BUILDS.lock().unwrap_or_else(PoisonError::into_inner);
    shell(command);
    let bytes = std::fs::read(workspace().join(file)).expect("the file was built");
    drop(building);
    Adapter::compile(&bytes)
}

/// `spin.toml`, whose commands are tested here.
pub fn spin_toml() -> toml::Table {
    let text = std::fs::read_to_string(workspace().join("spin.toml")).expect("spin.toml can be read");
    text.parse().expect("spin.toml is TOML")
}

/// Adds the adapter's target through rustup where the toolchain lacks it.
static TARGET: LazyLock<()> = LazyLock::new(|| {
    let libraries = "rustc --print target-libdir --target wasm32-wasip2";
    shell(&format!("test -d \"$({libraries})\" || rustup target add wasm32-wasip2"));
});

/// An adapter, composed and compiled.
pub struct Adapter {
    engine: Engine,
    component: Component,
}

impl Adapter {
    fn load(file: &str) -> Adapter {
        let built = workspace().join("target/imds-component");
        let core = built.join("imds.wasm");
        let bytes = imds_compose::composed(&built.join("wasm32-wasip2/component").join(file), &core);
        Adapter::compile(&bytes.expect("the adapter takes the component"))
    }

    fn compile(bytes: &[u8]) -> Adapter {
        let mut config = Config::new();
        config.wasm_component_model_async(true).consume_fuel(true);
        let engine = Engine::new(&config).expect("an engine starts");
        let component = Component::new(&engine, bytes).expect("the adapter is a component");
        Adapter { engine, component }
    }

    /// The names of what the composed adapter imports.
    pub fn imports(&self) -> Vec<String> {
        let types = self.component.component_type();
        types.imports(&self.engine).map(|(name, _)| name.to_owned()).collect()
    }
}

/// What a replica is started with.
#[derive(Clone, Default)]
pub struct Options {
    /// The application's variables.
    pub variables: Vec<(String, String)>,
    /// The environment, where the face reads that.
    pub environment: Vec<(String, String)>,
    /// Whether what provides the variables fails.
    pub variables_fail: Switch,
    /// What the adapter writes to its log.
    pub log: Log,
    /// The key-value store; none where the application has none.
    pub values: Option<Arc<Values>>,
    /// The time, in milliseconds since the Unix epoch, for both clocks.
    pub clock: Arc<AtomicU64>,
    /// How far each look at the monotonic clock moves both clocks on.
    pub tick_ms: u64,
    /// How many requests one instance of the adapter serves.
    pub reuse: usize,
    /// Whether that holds for WASI 0.2 too: `wasmtime serve` has a flag for it, Spin
    /// has not. Then one instance serves all requests that come one after another.
    pub reuses_wasi_0_2: bool,
    /// The instructions of WebAssembly of all instances that are gone.
    pub instructions: Arc<AtomicU64>,
}

/// More than any test needs.
const FUEL: u64 = 1 << 60;

/// Something that is so or not, for all replicas.
#[derive(Clone, Default)]
pub struct Switch(Arc<AtomicBool>);

impl Switch {
    pub fn set(&self, is_so: bool) {
        self.0.store(is_so, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The standard error of all instances of the adapter.
#[derive(Clone)]
pub struct Log(MemoryOutputPipe);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.contents()).into_owned()
    }
}

impl Default for Log {
    fn default() -> Log {
        Log(MemoryOutputPipe::new(1 << 20))
    }
}

/// When the instance that was looked at last took its last request, and since when it
/// waits for another.
#[derive(Clone, Default)]
struct AtWork(Arc<Mutex<(Option<Instant>, Option<Instant>)>>);

impl AtWork {
    fn taken(&self) {
        self.0.lock().expect("nobody panics with it").0 = Some(Instant::now());
    }

    fn waits_since(&self, since: Option<Instant>) {
        self.0.lock().expect("nobody panics with it").1 = since;
    }

    /// Whether a request that was sent at `sent` was taken, and all work for it is done.
    fn is_done(&self, sent: Instant) -> bool {
        let (taken, waits) = *self.0.lock().expect("nobody panics with it");
        taken.is_some_and(|taken| taken >= sent && waits.is_some_and(|waits| waits >= taken))
    }
}

/// One process of an engine with the adapter.
pub struct Replica {
    handler: ProxyHandler<State>,
    at_work: AtWork,
    waits_until_idle: bool,
}

impl Replica {
    pub fn start(adapter: &'static Adapter, options: Options) -> Replica {
        let Adapter { engine, component } = adapter;
        let mut linker = Linker::new(engine);
        let linked = (|| {
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
            wasmtime_wasi::p3::add_to_linker(&mut linker)?;
            p3::add_to_linker(&mut linker)?;
            p2::add_only_http_to_linker_async(&mut linker)?;
            interfaces::add_to_linker(&mut linker)?;
            store::add_to_linker(&mut linker)
        })();
        linked.expect("the interfaces have names of their own");
        let pre = linker.instantiate_pre(component).expect("the adapter imports what Spin has");
        let pre = match p3::bindings::ServicePre::new(pre.clone()) {
            Ok(pre) => ProxyPre::P3(pre),
            Err(_) => ProxyPre::P2(p2::bindings::ProxyPre::new(pre).expect("the adapter exports an HTTP handler")),
        };
        let at_work = AtWork::default();
        let waits_until_idle = options.reuses_wasi_0_2;
        let state = State { engine: engine.clone(), pre, options, at_work: at_work.clone() };
        Replica { handler: ProxyHandler::new(state), at_work, waits_until_idle }
    }

    /// Whether the whole body of the answer is there when a server, which runs as a
    /// task of its own, gets the head. What is not goes out in a second packet.
    pub async fn answers_in_one_piece(&self, request: http::Request<()>) -> bool {
        let request = request.map(|()| Empty::new().map_err(|never| match never {}).boxed_unsync());
        let response = self.handler.handle((), request).await.unwrap_or_else(|error| panic!("{error:?}"));
        let length = &response.headers()["content-length"];
        let length: usize = length.to_str().ok().and_then(|length| length.parse().ok()).expect("a length");
        let mut body = response.into_body();
        let frame = match pin!(body.frame()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().ok(),
            Poll::Ready(_) | Poll::Pending => None,
        };
        let is_there = frame.map_or(0, |data| data.len()) == length;
        while body.frame().await.is_some() {}
        is_there
    }

    /// Sends a request through the adapter. The body of an answer to `HEAD` is
    /// not asked for, as HTTP servers do not.
    pub fn send(&self, request: http::Request<()>) -> http::Response<Vec<u8>> {
        self.send_with_body(request.map(|()| Vec::new()))
    }

    /// The same for a request that has a body.
    pub fn send_with_body(&self, request: http::Request<Vec<u8>>) -> http::Response<Vec<u8>> {
        let is_head = request.method() == http::Method::HEAD;
        let request = request.map(|body| Full::from(body).map_err(|never| match never {}).boxed_unsync());
        let began = Instant::now();
        let response = TOKIO.block_on(async {
            let response = self.handler.handle((), request).await.unwrap_or_else(|error| panic!("{error:?}"));
            let (parts, body) = response.into_parts();
            let body = match is_head {
                true => Vec::new(),
                false => body.collect().await.unwrap_or_else(|error| panic!("{error:?}")).to_bytes().to_vec(),
            };
            http::Response::from_parts(parts, body)
        });
        // Another request would get another instance while this one works on behind its answer.
        while self.waits_until_idle && !self.at_work.is_done(began) {
            assert!(began.elapsed() < Duration::from_secs(60), "the instance works on");
            std::thread::yield_now();
        }
        response
    }
}

pub struct State {
    engine: Engine,
    pre: ProxyPre<Ctx>,
    options: Options,
    at_work: AtWork,
}

/// What one instance of the adapter has.
pub struct Ctx {
    pub table: ResourceTable,
    pub options: Options,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
}

impl HandlerState for State {
    type StoreData = Ctx;
    type WorkerExpiration = Never;
    type WorkerState = Reuse;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Ctx, Never, Reuse>> {
        let clock = Clock { ms: Arc::clone(&self.options.clock), tick_ms: self.options.tick_ms };
        let wasi = WasiCtx::builder()
            .envs(&self.options.environment)
            .stderr(self.options.log.0.clone())
            .wall_clock(clock.clone())
            .monotonic_clock(clock)
            .build();
        let ctx = Ctx {
            table: ResourceTable::new(),
            options: self.options.clone(),
            wasi,
            http: WasiHttpCtx::new(),
            hooks: Hooks,
        };
        let mut store = Store::new(&self.engine, ctx);
        store.set_fuel(FUEL)?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let is_reused = self.options.reuses_wasi_0_2 || matches!(self.pre, ProxyPre::P3(_));
        let most = if is_reused { self.options.reuse.max(1) } else { 1 };
        let expiration = Never(self.at_work.clone());
        let state = Reuse { most, at_work: self.at_work.clone() };
        Ok(Instance { store, proxy, view: WasiHttpView::http, expiration, state })
    }
}

/// An instance lives until it has served its requests.
pub struct Never(AtWork);

impl WorkerExpiration for Never {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>, status: WorkerStatus, since: Instant) -> Poll<()> {
        self.0.waits_since((status == WorkerStatus::Idle).then_some(since));
        // One that idles is dropped when it is looked at again.
        let idle = status == WorkerStatus::Idle && since.elapsed() > Duration::from_secs(60);
        if idle { Poll::Ready(()) } else { Poll::Pending }
    }
}

pub struct Reuse {
    /// So many requests, and no more.
    most: usize,
    at_work: AtWork,
}

impl WorkerState for Reuse {
    type StoreData = Ctx;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        match (concurrent, total) {
            (_, total) if total >= self.most => ShouldAccept::Never,
            (0, _) => ShouldAccept::Yes,
            _ => ShouldAccept::No,
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Ctx>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        self.at_work.taken();
        Box::pin(pending())
    }

    fn drop(&self, store: Store<Ctx>, _: wasmtime::Result<()>) {
        let left = store.get_fuel().expect("the engine counts fuel");
        store.data().options.instructions.fetch_add(FUEL - left, Ordering::SeqCst);
    }
}

#[derive(Clone)]
struct Clock {
    ms: Arc<AtomicU64>,
    tick_ms: u64,
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.ms.load(Ordering::SeqCst))
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        self.ms.fetch_add(self.tick_ms, Ordering::SeqCst).saturating_mul(1_000_000)
    }
}

impl WasiView for Ctx {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Ctx {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

/// The adapter sends nothing; if it did, this would refuse.
struct Hooks;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        _: http::Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<
        dyn Future<
                Output = Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>,
            > + Send,
    > {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
