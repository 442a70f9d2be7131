import { stopRunning } from "./composer";
import { composes, find } from "./page";

/** Keys that work wherever one is: / to write, Ctrl or ⌘ and K to search, Esc
 * to stop. */
export function keys() {
	addEventListener("keydown", (e) => {
		if (composes(e) || e.defaultPrevented) return;
		if (e.key === "k" && (e.ctrlKey || e.metaKey) && !e.shiftKey && !e.altKey) search(e);
		else if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey && !writes(e.target)) write(e);
		else if (e.key === "Escape") escape(e);
	});
}

function search(e: KeyboardEvent) {
	const field = find<HTMLInputElement>("#q");
	if (!field) return;
	e.preventDefault();
	if (!field.checkVisibility()) find("#side")!.showPopover();
	field.select();
	field.focus();
}

function write(e: KeyboardEvent) {
	const ask = find("#ask");
	if (!ask) return;
	e.preventDefault();
	ask.focus();
}

function writes(target: EventTarget | null): boolean {
	return target instanceof Element && target.matches("input, textarea, select");
}

/** Closes what lies on top; if nothing does, ends the answer that grows. */
function escape(e: KeyboardEvent) {
	const panel = find<HTMLDetailsElement>("#settings[open]");
	if (panel) {
		panel.open = false;
		find("summary", panel)!.focus();
		return;
	}
	if (find(":popover-open") || (e.target as Element).closest("#q, select")) return;
	stopRunning();
}
