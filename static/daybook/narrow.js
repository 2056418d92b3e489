// A long list of ticks is narrowed by what is typed into the field above it. Without this script the whole list is there.

for (const field of document.querySelectorAll("input[data-narrows]")) {
    const rows = [...document.getElementById(field.dataset.narrows).querySelectorAll("li")];
    field.hidden = rows.length < 8;
    field.addEventListener("input", () => {
        const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
        for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    });
    // Enter would send the form before its reader has ticked anything.
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}
