// What Unfold's scripts need so that no page holds an inline style.

// HTMX would add a <style> element; theme.css holds the same rules.
htmx.config.includeIndicatorStyles = false;
// HTMX would also carry an old element's style over to the new one of the same id, as text, which no page here allows.
htmx.config.attributesToSettle = ["class", "width", "height"];

// Unfold writes its icons as words and makes buttons of spans: the words are no text to be read out, and what can be
// clicked can be reached and pressed with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
    for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
        if (!icon.hasAttribute("x-on:click")) icon.setAttribute("aria-hidden", "true");
    }
    for (const mark of document.querySelectorAll("a:not([href]), a[href='#'], span, div")) {
        if (mark.hasAttribute("x-on:click")) asButton(mark);
    }
});

// Django's own chooser makes a field without a name, and a list of what are no items of a list; it may come late.
document.addEventListener("DOMContentLoaded", () => {
    if (!document.querySelector("select.admin-autocomplete")) return;
    const named = () => document.querySelectorAll(".select2-container").forEach(nameChooser);
    new MutationObserver(named).observe(document.body, { childList: true, subtree: true });
    named();
});

function nameChooser(box) {
    const list = box.parentElement.querySelector("select");
    const label = document.querySelector(`label[for="${list?.id}"]`)?.textContent.trim() ?? "Choose";
    box.querySelector(".select2-search__field")?.setAttribute("aria-label", label);
    box.querySelector("ul.select2-selection__rendered")?.setAttribute("role", "presentation");
}

// Chromium now and then forgets the field that a page wants to begin with, when the page follows a form at once.
window.addEventListener("load", () => {
    if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});

const NAMES = { more_horiz: "More actions", more_vert: "More actions", close: "Close", expand_more: "Show more" };

function asButton(mark) {
    mark.setAttribute("role", "button");
    mark.tabIndex = 0;
    const word = mark.textContent.trim();
    if (NAMES[word]) mark.setAttribute("aria-label", NAMES[word]);
    mark.addEventListener("keydown", (event) => {
        if (event.target !== mark || !["Enter", " "].includes(event.key)) return;
        event.preventDefault();
        mark.click();
    });
}
