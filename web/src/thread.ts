// The thread: articles come, grow and end. Every change keeps the reader where
// he is; who is at the end stays at the end.
import { decorate, reach } from "./code";
import { clearPending, runningChanged } from "./composer";
import { conversation, find, leave, parsed, renew } from "./page";

const near = 96; // pixels from the end that still count as the end
let following = true;

export function thread() {
	if (!find("#thread")) return;
	decorate(find("#thread")!);
	if (conversation() && !location.hash) toEnd();
	addEventListener("scroll", look, { passive: true });
	addEventListener("resize", () => {
		if (following) toEnd();
		reach(find("#thread")!);
	});
	find("#jump")!.addEventListener("click", () => {
		toEnd();
		find("#ask")?.focus();
	});
	look();
}

function atEnd(): boolean {
	const page = document.documentElement;
	return page.scrollHeight - page.clientHeight - scrollY < near;
}

function look() {
	following = atEnd();
	find("#jump")!.hidden = following;
}

/** Goes to the end of the thread. */
export function toEnd() {
	scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
	look();
}

/** Makes a change and follows it if the reader was at the end. */
function keeping(change: () => void) {
	const followed = following;
	change();
	if (followed) toEnd();
	else look();
}

export function threadChanged(e: { etag: string; html: string }) {
	const thread = find("#thread")!;
	keeping(() => {
		thread.replaceChildren(parsed(e.html));
		decorate(thread);
	});
	thread.dataset.etag = e.etag;
	runningChanged(runningId());
}

export function messageChanged(e: { id: string; state: string; etag: string; html: string }) {
	const thread = find("#thread")!;
	const old = article(e.id);
	const now = parsed(e.html).firstElementChild as HTMLElement;
	keeping(() => {
		decorate(now);
		if (old) takeOver(old, now);
		else append(thread, now);
	});
	thread.dataset.etag = e.etag;
	runningChanged(runningId());
	if (old?.dataset.state === "running" && e.state !== "running") void renew(".title");
}

/** A new article stands at the end, in the place of what was shown in advance. */
function append(thread: HTMLElement, now: HTMLElement) {
	find(".empty", thread)?.remove();
	if (now.dataset.role === "user") clearPending();
	thread.insertBefore(now, find(".pending", thread));
}

/** An article takes the place of another. Where only its buttons are others,
 * its words stay as they are, and with them what somebody has selected. */
function takeOver(old: HTMLElement, now: HTMLElement) {
	const focused = old.contains(document.activeElement) ? (document.activeElement as HTMLElement).className : "";
	find<HTMLDetailsElement>(".thought", now)?.toggleAttribute("open", !!find(".thought[open]", old));
	if (old.dataset.state === now.dataset.state && bare(old) === bare(now)) find(".body", now)!.replaceWith(find(".body", old)!);
	old.replaceWith(now);
	if (focused) (find(`.${focused.split(" ").join(".")}`, now) ?? find("#ask"))?.focus();
}

function bare(article: HTMLElement): string {
	return find(".body", article)!.textContent!;
}

/** Takes in what a running answer has become; false if it doesn't fit. */
export function grow(e: { id: string; from: number; blocks: string[]; reasoning?: string }): boolean {
	const body = find(".body", article(e.id) ?? document.createElement("i"));
	if (!body || body.children.length < e.from) return false;
	keeping(() => {
		while (body.children.length > e.from) body.lastElementChild!.remove();
		const blocks = parsed(e.blocks.join(""));
		decorate(blocks);
		body.append(blocks);
		reach(body);
		if (e.reasoning !== undefined) think(article(e.id)!, e.reasoning);
	});
	return true;
}

function think(article: HTMLElement, reasoning: string) {
	find(".reasoning", article)!.textContent = reasoning;
	find(".thought", article)!.hidden = false;
}

/** The conversation was deleted, maybe elsewhere: a new one begins. */
export function gone() {
	leave(find<HTMLAnchorElement>(".side .new")!.href);
}

function article(id: string): HTMLElement | null {
	return document.getElementById(`m-${id}`);
}

/** Id of the answer that grows; "" for none. */
export function runningId(): string {
	return find('#thread article[data-state="running"]')?.id.slice(2) ?? "";
}
