// Whatever is done to the bytes of the envelope of a receipt, it is refused, or it is the same receipt.

import { test } from "node:test";
import { tryReceipt } from "./mutations.mjs";

test("mutations of the envelope of a receipt never verify as another one", () => tryReceipt("envelope"));
