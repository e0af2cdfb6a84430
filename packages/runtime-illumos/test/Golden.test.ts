import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"
import { podShapes } from "./podShapes.js"
import { transcriptOf } from "./transcripts.js"

const folder = fileURLToPath(new URL("golden", import.meta.url))

/** `vitest run Golden -u` writes them again. That a host accepts them is tested with the simulated host. */
describe("golden transcripts", () => {
  for (const shape of podShapes) {
    it(`${shape.name}: ${shape.title}`, async () => {
      await expect(transcriptOf(shape)).toMatchFileSnapshot(`${folder}/${shape.name}.txt`)
    })
  }

  it("are at least forty, and none is left over", () => {
    assert.isAtLeast(podShapes.length, 40)
    assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.endsWith(".txt")).sort(), podShapes.map(({ name }) => `${name}.txt`).sort())
  })
})
