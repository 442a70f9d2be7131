// One stream of events keeps the page in step with the server. It is closed
// while the tab is hidden, because browsers allow six connections to a host.
import { conversationsChanged } from "./list";
import { reportChanged } from "./doctor";
import { find, parsed } from "./page";
import { gone, grow, messageChanged, threadChanged } from "./thread";

let source: EventSource | null = null;
let again = 0; // timer
let wait = 0; // milliseconds before the next try
const firstWait = 1000;
const longestWait = 20_000;

export function stream() {
	if (!document.body.dataset.events) return;
	open();
	document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
	addEventListener("pagehide", close);
	addEventListener("pageshow", (e) => e.persisted && location.reload()); // what the browser kept is old
	addEventListener("online", () => open());
}

/** Opens the stream anew, with what the page has now. */
export function reopen() {
	close();
	open();
}

function open() {
	clearTimeout(again);
	if (source || document.hidden) return;
	const url = new URL(document.body.dataset.events!, location.href);
	const etag = find("#thread")?.dataset.etag;
	if (etag) url.searchParams.set("etag", etag);
	source = new EventSource(url);
	source.addEventListener("open", () => found());
	source.addEventListener("error", () => lost());
	on("thread", threadChanged);
	on("message", messageChanged);
	on("grow", (e) => grow(e) || reopenWhole());
	on("conversations", (e) => conversationsChanged(e.html));
	on("chain", (e) => find("#chain")?.replaceWith(parsed(e.html)));
	on("doctor", (e) => reportChanged(e.html));
	on("gone", () => gone());
}

function on(name: string, act: (data: any) => void) {
	source!.addEventListener(name, (e) => act(JSON.parse((e as MessageEvent).data)));
}

function close() {
	clearTimeout(again);
	source?.close();
	source = null;
}

/** What grew doesn't fit what the page has: ask for all of it. */
function reopenWhole() {
	find("#thread")?.setAttribute("data-etag", "");
	reopen();
}

function found() {
	wait = 0;
	find("#lost")!.hidden = true;
}

/** A stream ends by itself now and then, so that only a second failure is told. */
function lost() {
	close();
	find("#lost")!.hidden = wait === 0;
	again = setTimeout(retry, wait || 100);
	wait = Math.min(longestWait, Math.max(firstWait, wait * 2));
}

/** Whoever is no longer signed in is led to the sign-in page, and from what was
 * deleted meanwhile to a new conversation. */
async function retry() {
	if (wait > firstWait) {
		const here = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
		if (here?.type === "opaqueredirect") return location.reload();
		if (here?.status === 404) return gone();
	}
	open();
}
