// A screenshot as a PNG with a palette: a screen has few colours, and a third of the bytes says the same.

window.fewerColours = async (encoded) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${encoded}`)).blob());
    const { width, height } = picture;
    const canvas = new OffscreenCanvas(width, height);
    const drawing = canvas.getContext("2d");
    drawing.drawImage(picture, 0, 0);
    const pixels = new Uint32Array(drawing.getImageData(0, 0, width, height).data.buffer);
    const palette = commonest(pixels);
    return base64(await png(width, height, palette, indexed(pixels, width, height, palette)));
};

// The 64 colours that matter: those seen most, then one for each group of what no eye tells apart.
function commonest(pixels) {
    const counts = new Map();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
    const groups = new Map();
    for (const [pixel, count] of [...counts].sort((a, b) => b[1] - a[1])) {
        const key = pixel & 0xf0f0f0;
        const group = groups.get(key) ?? { pixel, count: 0 };
        group.count += count;
        groups.set(key, group);
    }
    const chosen = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 40).map(([pixel]) => pixel);
    const rest = [...groups.values()].sort((a, b) => b.count - a.count).map(({ pixel }) => pixel);
    return [...new Set([...chosen, ...rest])].slice(0, 64);
}

function indexed(pixels, width, height, palette) {
    const nearest = new Map(palette.map((pixel, place) => [pixel, place]));
    const rows = new Uint8Array((width + 1) * height);
    for (let y = 0, from = 0; y < height; y++) {
        for (let x = 0; x < width; x++, from++) {
            const pixel = pixels[from];
            let place = nearest.get(pixel);
            if (place === undefined) nearest.set(pixel, place = closest(pixel, palette));
            rows[y * (width + 1) + 1 + x] = place;
        }
    }
    return rows;
}

function closest(pixel, palette) {
    let best = 0, least = Infinity;
    for (let place = 0; place < palette.length; place++) {
        let distance = 0;
        for (const shift of [0, 8, 16]) distance += (((pixel >> shift) & 255) - ((palette[place] >> shift) & 255)) ** 2;
        if (distance < least) [best, least] = [place, distance];
    }
    return best;
}

async function png(width, height, palette, rows) {
    const header = new Uint8Array(13);
    new DataView(header.buffer).setUint32(0, width);
    new DataView(header.buffer).setUint32(4, height);
    header.set([8, 3, 0, 0, 0], 8);
    const colours = new Uint8Array(palette.flatMap((pixel) => [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255]));
    const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));
    const data = new Uint8Array(await packed.arrayBuffer());
    const signature = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]);
    const chunks = [chunk("IHDR", header), chunk("PLTE", colours), chunk("IDAT", data), chunk("IEND", new Uint8Array())];
    return new Uint8Array(await new Blob([signature, ...chunks]).arrayBuffer());
}

function chunk(name, data) {
    const made = new Uint8Array(data.length + 12);
    const view = new DataView(made.buffer);
    view.setUint32(0, data.length);
    made.set([...name].map((letter) => letter.charCodeAt(0)), 4);
    made.set(data, 8);
    view.setUint32(data.length + 8, crc(made.subarray(4, data.length + 8)));
    return made;
}

function crc(bytes) {
    let sum = -1;
    for (const byte of bytes) {
        sum ^= byte;
        for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum >>> 0;
}

function base64(bytes) {
    let text = "";
    for (let from = 0; from < bytes.length; from += 8192) text += String.fromCharCode(...bytes.subarray(from, from + 8192));
    return btoa(text);
}
