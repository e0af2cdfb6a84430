import { defineConfig } from "tsup"

export default defineConfig({
  entry: ["src/index.ts"],
  format: ["esm"],
  target: "node24",
  platform: "node",
  // node:sqlite exists under this name only.
  removeNodeProtocol: false,
  sourcemap: true,
  clean: true
})
