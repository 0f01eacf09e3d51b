// Long lists, which come in pages (docs/index.md 8.3), and what a crowd's cut shows (6.4).

import { Cut, internals, listRoot } from "./verify.js";

const { begins, below, check, checkBasis, checkEntries, checkOrder, equal, listLeaf, listNode,
  multiproofRoot, u64be, refuse } = internals;
const RANGE_HASHES = 128, PAGE = 1000;

/** Refuses unless indices stand from a position on in the list of this length and root. */
export function checkRange(length, root, from, indices, proof) {
  const need = check("range");
  need(proof.length <= RANGE_HASHES, "the range proof has more hashes than any needs");
  const leaves = indices.map((index, i) => [from + BigInt(i), listLeaf(u64be(index))]);
  const found = multiproofRoot(length, leaves, proof, need, listNode);
  need(equal(found, root), "the range proof leads to another root than the list's");
}

/**
 * Verifies a page of a label's list, from a position on. It says nothing about the rest, and `missing`
 * are the leaves on it whose entries did not come.
 */
export function checkPage(checkpoint, label, from, answer) {
  const basis = checkBasis(checkpoint, answer), need = check("lists");
  const [found] = basis.cut.ask({ names: [label.slice(0, 32)], by: [label.slice(32)] });
  need(answer.lists.length === (found ? 1 : 0) && (!found || answer.lists[0].label === label),
    "the list is not the one that was asked for");
  const leaves = answer.lists[0]?.leaves ?? [], end = from + BigInt(leaves.length);
  check("limit")(leaves.length <= PAGE, "the page has more leaves than one may have");
  checkOrder(checkpoint.size, leaves);
  need(!found || end <= found.length || !leaves.length, "the page goes on beyond the list's end");
  need(!found || leaves.length || from >= found.length, "the page stops in the middle of the list");
  if (leaves.length) checkRange(found.length, found.root, from, leaves, answer.range);
  else check("range")(!answer.range.length, "there is a range proof and no page");
  const entries = checkEntries(answer, answer.lists), missing = leaves.filter((index) => !entries.has(index));
  return { checkpoint, ...basis, label, from, list: found ?? null, leaves, entries, missing };
}

/** Whether pages, each beginning where the one before it ended, are the whole list as of the last. */
export function arePagesWhole(pages) {
  const { list, label } = pages.at(-1), leaves = pages.flatMap((page) => page.leaves);
  let end = 0n;
  for (const page of pages) {
    if (page.label !== label || page.from !== end) return false;
    end += BigInt(page.leaves.length);
  }
  if (!list) return end === 0n;
  const isAscending = leaves.every((index, i) => !i || leaves[i - 1] < index);
  return isAscending && list.length === end && equal(listRoot(leaves), list.root);
}

/** The nodes of a cut that stand for whole names, of those that begin with a prefix. */
function namesIn(cut, prefix, bits) {
  const found = [], whole = prefix.padEnd(64, "0");
  const visit = (node, asked) => {
    if (!node || !asked) return;
    if (node.label === undefined && !node.left) refuse("question", "the cut does not answer");
    const first = node.label ?? node.prefix;
    if (node.label === undefined && node.bits < 128) {
      const [left, right] = below(asked, node);
      visit(node.left, left);
      visit(node.right, right);
    } else if (begins(first, whole, bits)) found.push({ name: first.slice(0, 32), node });
  };
  visit(cut.root, { prefix: whole, bits, by: [] });
  return found;
}

/** The names that begin with a prefix, ascending. How many they are is how well a crowd hides one. */
export const crowdNames = (cut, prefix, bits) => namesIn(cut, prefix, bits).map(({ name }) => name);

/** How many speak of a name. Proven only as far as the cut is opened. */
export const speakers = (cut, name) => namesIn(cut, name, 128)[0]?.node.labels ?? 0n;
