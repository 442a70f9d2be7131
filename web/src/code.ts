import { all, find, fresh, word } from "./page";

/** Gives code its button, and what scrolls sideways to the keyboard. */
export function decorate(within: ParentNode) {
	for (const pre of all("pre", within)) {
		if (!find(".copy-code", pre)) pre.append(fresh("code"));
	}
	requestAnimationFrame(() => reach(within));
}

/** What scrolls sideways can be reached by keys. */
export function reach(within: ParentNode) {
	for (const box of all("pre > code, .table", within)) {
		if (box.scrollWidth <= box.clientWidth) {
			for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
			continue;
		}
		box.tabIndex = 0;
		box.setAttribute("role", "group");
		box.setAttribute("aria-label", word(box.localName === "code" ? "code" : "table"));
	}
}
