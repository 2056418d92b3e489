// A file takes a while to be made. Its link says so until the download begins, which the server tells by a cookie; a
// browser tells a page nothing about it. Without this script the download begins all the same.

{
    const BEGUN = "daybook_export_begun";
    const LOOK_EVERY = 300;
    const LONGEST = 60 * 1000;

    document.addEventListener("click", (event) => {
        const link = event.target.closest?.("a[href]");
        if (!link || !/\.(csv|xlsx)$/.test(new URL(link.href).pathname)) return;
        if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        if (link.hasAttribute("aria-busy")) event.preventDefault();
        else prepare(link);
    });

    function prepare(link) {
        document.cookie = `${BEGUN}=; max-age=0; path=/; samesite=strict`;
        const word = document.createElement("span");
        word.className = "db-quiet";
        word.setAttribute("role", "status");
        link.setAttribute("aria-busy", "true");
        link.after(" ", word);
        // A reader is told only of what changes in a part that is there already.
        setTimeout(() => { word.textContent = "Preparing the file ..."; }, 50);
        const since = Date.now();
        const timer = setInterval(() => {
            if (!document.cookie.includes(`${BEGUN}=1`) && Date.now() - since < LONGEST) return;
            clearInterval(timer);
            link.removeAttribute("aria-busy");
            word.remove();
        }, LOOK_EVERY);
    }
}
