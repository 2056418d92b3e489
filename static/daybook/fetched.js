// What the server says in JSON; null when it cannot be reached, refuses, or leads to the log-in page.
export async function fetched(address) {
    try {
        const answer = await fetch(address, { headers: { Accept: "application/json" } });
        return answer.ok && !answer.redirected ? await answer.json() : null;
    } catch {
        return null;
    }
}
