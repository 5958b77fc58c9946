// A browser for the page, where this machine has one.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { launch } from "puppeteer-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program that `CHROMIUM` names, or one on the path; none where there is none. */
export const chromium = process.env.CHROMIUM
  ?? process.env.PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isProgram);

export function start() {
  // A container's root has no sandbox, and the page is our own.
  return launch({ executablePath: chromium, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}
