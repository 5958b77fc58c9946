// Completions below the caret of a text area, by keyboard or pointer.

const LINE_PX = 20;
const SHOWN = 60;

/** Offers what `complete(text, caret)` gives while `area` is written into. */
export function offer(area, list, complete) {
  let found = { items: [] };
  let selected = 0;

  const isOpen = () => !list.hidden;
  const close = () => {
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
  };

  function select(index) {
    selected = (index + list.children.length) % list.children.length;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === selected)));
    list.children[selected].scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", list.children[selected].id);
  }

  function open() {
    found = complete(area.value, area.selectionStart);
    if (found.items.length === 0) return close();
    list.replaceChildren(...found.items.slice(0, SHOWN).map(({ label, detail }, index) => {
      const item = document.createElement("li");
      const small = document.createElement("small");
      small.textContent = detail.split("\n")[0];
      item.append(label, ...(detail ? [small] : []));
      item.id = `suggestion-${index}`;
      item.setAttribute("role", "option");
      return item;
    }));
    list.hidden = false;
    place();
    select(0);
  }

  /** Below what it completes, which scrolls. */
  function place() {
    const before = area.value.slice(0, found.from).split("\n");
    list.style.top = `${before.length * LINE_PX + 8 - area.scrollTop}px`;
    list.style.left = `clamp(0px, calc(${before.at(-1).length}ch - ${area.scrollLeft}px), 40%)`;
  }

  function take(index) {
    const { from, to, items } = found;
    area.setRangeText(items[index].insert, from, to, "end");
    // Within what was just opened.
    if (/^(\{\}|\[\])$/.test(items[index].insert)) area.selectionStart = area.selectionEnd -= 1;
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  area.addEventListener("input", open);
  area.addEventListener("blur", close);
  area.addEventListener("click", close);
  area.addEventListener("scroll", () => isOpen() && place());
  area.addEventListener("keydown", (event) => {
    const act = {
      ArrowDown: () => select(selected + 1), ArrowUp: () => select(selected - 1), Enter: () => take(selected),
      Tab: () => take(selected), Escape: close,
    }[event.key];
    if (event.key === " " && event.ctrlKey) open();
    else if (isOpen() && act) act();
    else return;
    event.preventDefault();
  });
  // Before the area loses the focus.
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const index = [...list.children].indexOf(event.target.closest("li"));
    if (index >= 0) take(index);
  });
}
