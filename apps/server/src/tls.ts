import type { Certificates } from "@reddwarf/apiserver"
import { Program } from "@reddwarf/cli"
import { Effect, Option } from "effect"

/** The PEM files of `--tls-cert`, `--tls-key` and `--tls-ca`: all three or none. */
export const externalCertificates = (settings: {
  readonly cert: Option.Option<string>
  readonly key: Option.Option<string>
  readonly ca: Option.Option<string>
}): Effect.Effect<Option.Option<Certificates.ExternalFiles>, Program.WrongUsage> => {
  const given = Option.all({ cert: settings.cert, key: settings.key, ca: settings.ca })
  const some = [settings.cert, settings.key, settings.ca].some(Option.isSome)
  return some && Option.isNone(given)
    ? Program.wrongUsage("tls-cert, tls-key and tls-ca belong together: give all three, or none to use the server's own certificates")
    : Effect.succeed(given)
}
