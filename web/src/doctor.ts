import { decorate } from "./code";
import { find, parsed, renew, word } from "./page";
import { post } from "./post";

/** The report is run again, and the stand-in broken and mended, in place. */
export function doctor() {
	if (find("#doctor")) decorate(find("#doctor")!);
	document.addEventListener("submit", (e) => {
		const form = e.target as HTMLFormElement;
		if (form.matches("#examine, #faults, #mend-form")) void run(e as SubmitEvent, form);
	});
}

async function run(e: SubmitEvent, form: HTMLFormElement) {
	e.preventDefault();
	const button = e.submitter as HTMLButtonElement | null;
	const fields = new FormData(form);
	busy(button, true);
	const panel = find<HTMLFieldSetElement>("#faults fieldset");
	if (panel) panel.disabled = true; // it is renewed below, and a choice made until then would be lost
	if ((await post(form.action, fields)) !== null) await renew("#doctor", "#faults");
	if (panel) panel.disabled = false;
	if (find("#doctor")) decorate(find("#doctor")!);
	busy(button, false);
	if (document.activeElement === document.body) find(`#${button?.id}`)?.focus();
}

function busy(button: HTMLButtonElement | null, on: boolean) {
	if (!button) return;
	button.setAttribute("aria-busy", String(on));
	button.disabled = on;
	const label = find("span", button);
	if (!label) return;
	label.dataset.idle ??= label.textContent!;
	label.textContent = on ? word("running") : label.dataset.idle;
}

/** The report says something new. */
export function reportChanged(html: string) {
	const report = find("#doctor");
	if (!report) return;
	report.replaceChildren(parsed(html));
	decorate(report);
}
