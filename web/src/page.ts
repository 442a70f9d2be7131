// What the page holds, and how to ask it.
import { decorate } from "./code";

export function find<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T | null {
	return within.querySelector<T>(selector);
}

export function all<T extends Element = HTMLElement>(selector: string, within: ParentNode = document): T[] {
	return [...within.querySelectorAll<T>(selector)];
}

/** The element that a template holds, fresh. */
export function fresh(name: string): HTMLElement {
	const template = find<HTMLTemplateElement>(`#template-${name}`);
	return document.importNode(template!.content, true).firstElementChild as HTMLElement;
}

/** What HTML of this server says, as nodes. Scripts in it do not run. */
export function parsed(html: string): DocumentFragment {
	const template = document.createElement("template");
	template.innerHTML = html;
	return document.importNode(template.content, true);
}

/** A word in the language of the page. */
export function word(name: string): string {
	const words = find<HTMLTemplateElement>("#words");
	return words?.content.querySelector(`[data-word=${name}]`)?.textContent ?? name;
}

/** Id of the conversation that the page shows; "" for none yet. */
export function conversation(): string {
	return document.body.dataset.conversation ?? "";
}

/** Whether a key is part of a composition, as when Japanese is typed. In Safari
 * the Enter that ends one comes after it, and is told by its code alone. */
export function composes(e: KeyboardEvent): boolean {
	return e.isComposing || e.keyCode === 229;
}

/** Whether somebody writes by touch, where a keyboard covers half the page. */
export function touched(): boolean {
	return matchMedia("(hover: none) and (pointer: coarse)").matches;
}

/** Shows an error card above the composer, or else before the content. */
export function tell(problem: Node | string) {
	const place = find("#notice") ?? notice();
	place.replaceChildren(typeof problem === "string" ? parsed(problem) : problem);
	decorate(place);
}

/** Takes the error card away. */
export function hush() {
	find("#notice")?.replaceChildren();
}

function notice(): HTMLElement {
	const place = document.createElement("div");
	place.id = "notice";
	place.setAttribute("role", "alert");
	find("#main")?.prepend(place);
	return place;
}

/** Fetches this page anew and takes over what the selectors find. */
export async function renew(...selectors: string[]) {
	const response = await fetch(location.href, { headers: { Accept: "text/html" } });
	if (!response.ok) return;
	const page = new DOMParser().parseFromString(await response.text(), "text/html");
	for (const selector of selectors) {
		const old = find(selector);
		const now = find(selector, page);
		if (old && now) old.replaceChildren(...[...now.childNodes].map((n) => document.importNode(n, true)));
	}
}

let leaving = false;

/** Goes to another page in place of this one, once: who deletes a conversation
 * hears of it from the stream of events, too. */
export function leave(to: string) {
	if (leaving) return;
	leaving = true;
	location.replace(to);
}
