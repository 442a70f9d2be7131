// The composer: what is typed is kept until the server has it.
import { composes, conversation, find, fresh, touched, word } from "./page";
import { post } from "./post";
import { runningId, toEnd } from "./thread";

const ask = () => find<HTMLTextAreaElement>("#ask")!;
const form = () => find<HTMLFormElement>("#composer")!;

export function composer() {
	if (!find("#composer")) return;
	restore();
	form().addEventListener("submit", submit);
	ask().addEventListener("input", () => {
		keep();
		fit();
	});
	ask().addEventListener("keydown", typed);
	document.addEventListener("submit", (e) => {
		const target = e.target as HTMLFormElement;
		if (target.id === "stop-form") void stop(e);
		else if (target.matches(".again")) void again(e, target);
	});
	settings();
	fit();
	if (!touched() && !location.hash) ask().focus({ preventScroll: true });
}

/** Where the draft of this conversation lies. */
function draft(): string {
	return `tegata:draft:${form().action}`;
}

function keep() {
	if (ask().value) localStorage.setItem(draft(), ask().value);
	else localStorage.removeItem(draft());
}

function restore() {
	if (!ask().value) ask().value = localStorage.getItem(draft()) ?? "";
}

/** Takes all drafts away, from the eyes of who comes next. */
export function forgetDrafts() {
	for (const key of Object.keys(localStorage)) {
		if (key.startsWith("tegata:")) localStorage.removeItem(key);
	}
}

/** Makes the box as high as its text where the browser can't by itself. */
function fit() {
	if (CSS.supports("field-sizing", "content")) return;
	ask().style.height = "auto";
	ask().style.height = `${ask().scrollHeight}px`;
}

function fill(text: string) {
	ask().value = text;
	keep();
	fit();
}

function typed(e: KeyboardEvent) {
	if (composes(e)) return;
	if (e.key === "Enter" && !e.shiftKey && !e.altKey && !touched()) {
		e.preventDefault();
		if (ask().value.trim()) form().requestSubmit(find<HTMLButtonElement>("#send"));
	}
	if (e.key === "ArrowUp" && !ask().value && last()) {
		e.preventDefault();
		fill(last());
	}
}

/** The question that was asked last in this conversation. */
function last(): string {
	const questions = document.querySelectorAll('#thread article[data-role="user"] .body');
	return questions[questions.length - 1]?.textContent ?? "";
}

let sending = false;

async function submit(e: SubmitEvent) {
	e.preventDefault();
	if (e.submitter?.id === "save") return save();
	const text = ask().value;
	if (sending || runningId() || !text.trim()) return;
	sending = true;
	const fields = new FormData(form());
	show(text);
	fill("");
	const to = await post(form().action, fields);
	sending = false;
	if (to === null) {
		clearPending();
		if (!ask().value) fill(text);
		ask().focus();
	} else if (!conversation()) {
		location.assign(to);
	}
}

/** Shows a question before the server has told that it has it. */
function show(text: string) {
	const article = fresh("question");
	find(".plain", article)!.textContent = text;
	find(".empty")?.remove();
	find("#thread")!.append(article);
	toEnd();
}

/** Takes away the question that was shown in advance. */
export function clearPending() {
	find("#thread .pending")?.remove();
}

/** The button that stops is there while an answer grows. */
export function runningChanged(id: string) {
	const there = find<HTMLFormElement>("#stop-form");
	if (!id) {
		const focused = there?.contains(document.activeElement);
		there?.remove();
		if (focused) ask().focus();
		return;
	}
	const form = fresh("stop") as HTMLFormElement;
	form.action = form.getAttribute("action")!.replace("/m//", `/m/${id}/`);
	if (there) there.action = form.action;
	else find(".dock")!.append(form);
}

async function stop(e: Event) {
	e.preventDefault();
	await post((e.target as HTMLFormElement).action);
}

/** Ends the answer that grows, if one does. */
export function stopRunning() {
	find<HTMLFormElement>("#stop-form")?.requestSubmit();
}

async function again(e: Event, target: HTMLFormElement) {
	e.preventDefault();
	await post(target.action, { model: find<HTMLSelectElement>("#model")?.value ?? "" });
}

/** The system prompt and the model of a conversation are kept as they change. */
function settings() {
	const panel = find<HTMLDetailsElement>("#settings")!;
	document.addEventListener("click", (e) => {
		if (!panel.contains(e.target as Node)) panel.open = false;
	});
	panel.addEventListener("toggle", () => panel.open && find("#system")!.focus());
	if (!conversation()) return;
	find("#system")!.addEventListener("change", () => void save());
	find("#model")!.addEventListener("change", () => void save());
}

async function save() {
	const button = find<HTMLButtonElement>("#save")!;
	const system = find<HTMLTextAreaElement>("#system")!.value;
	const to = await post(button.formAction, { system, model: find<HTMLSelectElement>("#model")!.value });
	find("#settings summary")!.classList.toggle("set", system.trim() !== "");
	const status = button.nextElementSibling!;
	status.textContent = to === null ? "" : word("saved");
}
