/** The symbol of `await using`, for engines that do not have it: TypeScript's and other polyfills take the same one. */
export const asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

/** The symbol by which jco's glue gives up what lies in the component. */
export const dispose = Symbol.dispose ?? Symbol.for("dispose");
