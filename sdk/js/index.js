// All of the SDK. verify.js alone is enough for answers and claims under one log's key.

export * from "./verify.js";
export * from "./policy.js";
export * from "./pages.js";
export * from "./issuers.js";
export * from "./receipt.js";
export * from "./client.js";
export * from "./lock.js";
export { equationHolds, isWanted } from "./ed25519.js";
