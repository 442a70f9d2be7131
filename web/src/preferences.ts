import { forgetDrafts } from "./composer";
import { all } from "./page";
import { post } from "./post";

/** Language and theme change without losing what is typed. */
export function preferences() {
	document.addEventListener("submit", (e) => {
		const form = e.target as HTMLFormElement;
		const button = (e as SubmitEvent).submitter as HTMLButtonElement | null;
		if (form.id === "theme" && button) void theme(e, form, button);
		if (form.id === "language" && button) void language(e, form, button);
		if (form.id === "sign-out") forgetDrafts();
	});
}

async function theme(e: Event, form: HTMLFormElement, button: HTMLButtonElement) {
	e.preventDefault();
	document.documentElement.dataset.theme = button.value;
	for (const b of all("button", form)) b.setAttribute("aria-pressed", String(b === button));
	await post(form.action, { theme: button.value });
}

async function language(e: Event, form: HTMLFormElement, button: HTMLButtonElement) {
	e.preventDefault();
	if ((await post(form.action, { lang: button.value })) !== null) location.reload();
}
