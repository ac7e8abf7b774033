// Unpacks the Chromium that @sparticuz/chromium carries, with its libraries and fonts, into the folder of TMPDIR.
import { fileURLToPath } from "node:url";
import { inflate } from "@sparticuz/chromium";

const bin = new URL("../bin/", import.meta.resolve("@sparticuz/chromium"));
for (const part of ["chromium.br", "fonts.tar.br", "swiftshader.tar.br", "al2023.tar.br"]) {
  await inflate(fileURLToPath(new URL(part, bin)));
}
