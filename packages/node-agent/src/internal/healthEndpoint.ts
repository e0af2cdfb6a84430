/** Whether the health endpoint of this node runs: its event loop, whatever it says about the node. */
import * as Effect from "effect/Effect"
import * as http from "node:http"

/** `GET /livez` of an endpoint that listens on `ADDRESS:PORT`; any answer counts. */
export const isAlive = (listen: string): Effect.Effect<boolean> => {
  const port = Number(/:(\d+)$/.exec(listen)?.[1] ?? 0)
  const host = listen.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1")
  const everywhere = host === "" || host === "0.0.0.0" || host === "::"
  return Effect.async<boolean>((resume) => {
    const request = http.get({ host: everywhere ? "127.0.0.1" : host, port, path: "/livez", agent: false }, (response) => {
      response.resume()
      resume(Effect.succeed(true))
    })
    request.on("error", () => resume(Effect.succeed(false)))
    return Effect.sync(() => void request.destroy())
  })
}
