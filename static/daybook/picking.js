// The boxes before the events of a list: how many are chosen, and one box for all of a page. Without this the boxes
// and the buttons of the form do the same, and the page behind them says what was chosen.

const form = document.querySelector("[data-picking]");
const boxes = () => [...document.querySelectorAll("input[name=chosen][form=many]")];

if (form) {
    const every = form.querySelector("#every");
    const all = form.querySelector("#all");
    every.parentElement.hidden = false;
    every.addEventListener("change", () => {
        for (const box of boxes()) box.checked = every.checked;
        tell();
    });
    document.addEventListener("change", ({ target }) => { if (target.matches("input[name=chosen], #all")) tell(); });
    document.addEventListener("daybook:renewed", tell);
    // One of the two is meant: a box that was forgotten must not narrow «all», nor stand in the address.
    form.addEventListener("formdata", ({ formData }) => { if (all.checked) formData.delete("chosen"); });
    tell();

    function tell() {
        const chosen = boxes().filter((box) => box.checked).length;
        every.checked = Boolean(chosen) && chosen === boxes().length;
        every.indeterminate = chosen > 0 && !every.checked;
        const words = all.checked ? "All of them, on every page." : chosen ? `${chosen} chosen.` : "Choose events by their boxes.";
        const place = form.querySelector("[data-picked]");
        if (place.textContent !== words) place.textContent = words;
        for (const button of form.querySelectorAll("button[name=deed]")) button.disabled = !all.checked && !chosen;
    }
}

// On a phone the list comes first, and the filter when it is asked for.
if (window.matchMedia("(max-width: 640px)").matches) document.querySelector(".db-filter")?.removeAttribute("open");
