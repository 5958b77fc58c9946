// A component that traps when it is told to.

/** A module whose one function is `unreachable`. */
const unreachable = Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // magic, version
  1, 4, 1, 0x60, 0, 0, // a type: nothing to nothing
  3, 2, 1, 0, // a function of it
  7, 5, 1, 1, 0x74, 0, 0, // exported as `t`
  10, 5, 1, 3, 0, 0, 0x0b, // unreachable
);

/**
 * Lets the exports of component instances that `run` makes trap while `isOn()`, within the component's own calls, and
 * gives what `run` gives and how many component instances were made.
 */
export async function withTraps(isOn, run) {
  const { Instance } = WebAssembly;
  const trap = new Instance(new WebAssembly.Module(unreachable)).exports.t;
  let made = 0;
  WebAssembly.Instance = function (module, imports) {
    const instance = new Instance(module, imports);
    const names = Object.keys(instance.exports).filter((name) => /#\[method\]instance\.answer$/.test(name));
    if (names.length === 0) return instance;
    made += 1;
    const exports = { ...instance.exports };
    for (const name of names) exports[name] = (...args) => (isOn() ? trap() : instance.exports[name](...args));
    return { exports };
  };
  try {
    await run(() => made);
  } finally {
    WebAssembly.Instance = Instance;
  }
}
