import type { Options } from "tsup"

type Plugin = NonNullable<Options["esbuildPlugins"]>[number]

/** What the module has without asking for more: behind the accessors are what replaces the agent of all requests, and the classes of web sockets. */
const names = Object.entries(Object.getOwnPropertyDescriptors(process.getBuiltinModule("node:http")))
  .flatMap(([name, property]) => "value" in property ? [name] : [])

/**
 * An import of `node:http` reads everything that the module has, and three of these are classes for web sockets, for which the platform loads
 * its whole HTTP client for browsers: megabytes in every process of a program, for nothing. So the module is asked for by a call, and
 * what it has is taken by name.
 */
export const plainHttp: Plugin = {
  name: "plain-http",
  setup: (build) => {
    build.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === "import-statement" || kind === "dynamic-import" ? { path: "http", namespace: "plain-http" } : undefined)
    build.onLoad({ filter: /^http$/, namespace: "plain-http" }, () => ({
      contents: [
        "const http = process.getBuiltinModule(\"node:http\")",
        `export const { ${names.join(", ")} } = http`,
        "export default http"
      ].join("\n"),
      loader: "js"
    }))
  }
}
