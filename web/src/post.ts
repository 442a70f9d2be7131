import { fresh, hush, tell } from "./page";

/** Sends a form as a script and returns where it leads, or null when it was
 * refused: then the page shows why. */
export async function post(url: string, fields: Record<string, string> | FormData = {}): Promise<string | null> {
	hush();
	try {
		const response = await fetch(url, {
			method: "POST",
			headers: { Accept: "application/json" },
			body: fields instanceof FormData ? fields : new URLSearchParams(fields),
		});
		if (response.status === 401) {
			location.reload(); // which leads to the sign-in page, and back
			return null;
		}
		const answer = await response.json();
		if (response.ok) return answer.location ?? "";
		tell(answer.problem ?? fresh("lost"));
	} catch {
		tell(fresh("lost"));
	}
	return null;
}
