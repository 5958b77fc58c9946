// The component's modules, which stand in the page itself: packed, and in Base64.

/** Compiles what the element of that name holds. */
async function compiled(element) {
  const packed = Uint8Array.from(atob(element.textContent), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

const elements = [...document.querySelectorAll("script[data-module]")];
const entries = await Promise.all(elements.map(async (element) => [element.dataset.module, await compiled(element)]));

/** The compiled modules, by name. */
export const modules = new Map(entries);
