// Screenshots with a palette of at most 256 colours: a third of the size, for pictures that stand in the repository.

import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/// An 8-bit RGB or RGBA picture without interlacing, as browsers make them, with a palette.
export function withPalette(png) {
  const { width, height, channels, data } = read(png);
  const pixels = unfiltered(data, width * channels, channels, height);
  // Colours that share their upper bits share an entry, which is the most frequent of them: grounds stay exact.
  for (let bits = 8; ; bits -= 1) {
    const entries = new Map();
    const keys = new Uint32Array(width * height);
    for (let at = 0; at < keys.length; at += 1) {
      const colour = pixels.readUIntBE(at * channels, 3);
      const mask = (0xff << (8 - bits)) & 0xff;
      keys[at] = colour & (mask * 0x010101);
      const shades = entries.get(keys[at]) ?? entries.set(keys[at], new Map()).get(keys[at]);
      shades.set(colour, (shades.get(colour) ?? 0) + 1);
    }
    if (entries.size > 256) continue;
    const palette = Buffer.alloc(entries.size * 3);
    const indexes = new Map();
    for (const [key, shades] of entries) {
      const [colour] = [...shades].reduce((most, one) => (one[1] > most[1] ? one : most));
      palette.writeUIntBE(colour, indexes.size * 3, 3);
      indexes.set(key, indexes.size);
    }
    const rows = Buffer.alloc((width + 1) * height);
    keys.forEach((key, at) => (rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = indexes.get(key)));
    return written(width, height, palette, rows);
  }
}

function read(png) {
  let at = SIGNATURE.length;
  const parts = [];
  let header;
  while (at < png.length) {
    const length = png.readUInt32BE(at);
    const kind = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") header = body;
    if (kind === "IDAT") parts.push(body);
    at += 12 + length;
  }
  const channels = { 2: 3, 6: 4 }[header[9]];
  return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), channels, data: inflateSync(Buffer.concat(parts)) };
}

/// Undoes the filter of each row (PNG section 9).
function unfiltered(data, stride, channels, height) {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = data[y * (stride + 1)];
    for (let x = 0; x < stride; x += 1) {
      const left = x < channels ? 0 : out[y * stride + x - channels];
      const up = y === 0 ? 0 : out[(y - 1) * stride + x];
      const corner = x < channels || y === 0 ? 0 : out[(y - 1) * stride + x - channels];
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[y * stride + x] = data[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const [a, b, c] = [left, up, corner].map((one) => Math.abs(left + up - corner - one));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function written(width, height, palette, rows) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8); // 8 bits, palette
  const chunks = [["IHDR", header], ["PLTE", palette], ["IDAT", deflateSync(rows, { level: 9 })], ["IEND", Buffer.alloc(0)]];
  return Buffer.concat([SIGNATURE, ...chunks.map(([kind, body]) => chunk(kind, body))]);
}

function chunk(kind, body) {
  const named = Buffer.concat([Buffer.from(kind, "latin1"), body]);
  const framed = Buffer.alloc(named.length + 8);
  framed.writeUInt32BE(body.length, 0);
  named.copy(framed, 4);
  framed.writeUInt32BE(crc32(named), named.length + 4);
  return framed;
}
