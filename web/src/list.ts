// The list of conversations: found, renamed, deleted, and kept in step.
import { all, conversation, find, leave, parsed, word } from "./page";
import { post } from "./post";

const list = () => find("#conversations")!;
const query = () => find<HTMLInputElement>("#q")!;

const pause = 180; // milliseconds without a key before a search
let timer = 0;
let searched = 0; // counts, so that an older search can't overtake a newer

/** Looks after the list, if the page has one. */
function watch() {
	if (!query()) return;
	query().addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(search, pause);
	});
	list().addEventListener("click", armed);
	list().addEventListener("submit", change);
	list().addEventListener("toggle", opened, true);
	list().addEventListener("keydown", escape);
	find(".current")?.scrollIntoView({ block: "nearest" });
	if (/Mac|iPhone|iPad/.test(navigator.platform)) find(".search kbd")!.textContent = "⌘ K";
}

export { watch as list };

async function search() {
	const form = find<HTMLFormElement>("#search")!;
	const mine = ++searched;
	const url = `${form.action}?q=${encodeURIComponent(query().value.trim())}`;
	const response = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
	if (response?.ok && mine === searched) show((await response.json()).html);
}

/** The list changed on the server. While one searches, it shows what was found. */
export function conversationsChanged(html: string) {
	if (!query().value.trim()) show(html);
	title();
}

let shown = ""; // so that what is the same stays under the finger that is about to press it

/** Shows lines; one that is being edited stays as it is. */
function show(html: string) {
	if (html === shown) return;
	shown = html;
	const edited = find("details[open]", list())?.closest("li");
	const lines = parsed(html);
	for (const line of all("li[data-id]", lines)) {
		if (edited && line.dataset.id === edited.dataset.id) line.replaceWith(edited);
		else mark(line);
	}
	list().replaceChildren(lines);
}

function mark(line: HTMLElement) {
	const current = line.dataset.id === conversation();
	line.classList.toggle("current", current);
	if (current) find("a", line)!.setAttribute("aria-current", "page");
}

/** Takes the title of the current conversation over from the list. */
function title() {
	const name = find(".current .name", list())?.textContent;
	const head = find(".title h1");
	if (!name || !head || !conversation() || head.textContent === name) return;
	head.textContent = name;
	document.title = `${name} · tegata`;
}

/** The first press of the button that deletes only asks. */
function armed(e: Event) {
	const button = (e.target as Element).closest<HTMLButtonElement>(".delete");
	if (!button || button.classList.contains("armed")) return;
	e.preventDefault();
	button.classList.add("armed");
	button.textContent = word("sure");
}

async function change(e: Event) {
	const submit = e as SubmitEvent;
	const form = submit.target as HTMLFormElement;
	const line = form.closest("li")!;
	const deletes = submit.submitter?.matches(".delete");
	e.preventDefault();
	const fields = Object.fromEntries(new FormData(form)) as Record<string, string>;
	const to = await post(deletes ? (submit.submitter as HTMLButtonElement).formAction : form.action, fields);
	if (to === null) return;
	find<HTMLDetailsElement>("details", line)!.open = false;
	if (!deletes) {
		find(".name", line)!.textContent = fields.title.trim() || find(".name", line)!.textContent;
		find("a", line)!.focus();
		title();
	} else if (line.dataset.id === conversation()) {
		leave(to);
	} else {
		line.remove();
		query().focus();
	}
}

/** One line is edited at a time. */
function opened(e: Event) {
	const details = e.target as HTMLDetailsElement;
	if (!details.open) return disarm(details);
	for (const other of all<HTMLDetailsElement>("details[open]", list())) {
		if (other !== details) other.open = false;
	}
	find<HTMLInputElement>("input", details)!.select();
}

function disarm(details: HTMLElement) {
	const button = find(".delete.armed", details);
	if (!button) return;
	button.classList.remove("armed");
	button.textContent = word("delete");
}

function escape(e: KeyboardEvent) {
	const details = (e.target as Element).closest<HTMLDetailsElement>("details[open]");
	if (e.key !== "Escape" || !details) return;
	e.stopPropagation();
	details.open = false;
	find("summary", details)!.focus();
}
