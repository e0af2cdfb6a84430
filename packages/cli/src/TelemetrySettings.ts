/** Where a program sends its traces, logs and metrics, the same for every program. */
import * as Options from "@effect/cli/Options"
import * as Option from "effect/Option"
import * as Settings from "./Settings.js"

const isEndpoint = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)

const parseHeaders = (text: string): Option.Option<Readonly<Record<string, string>>> => {
  const pairs = text.split(",").map((pair) => pair.trim()).filter((pair) => pair !== "").map((pair) => /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(.*)$/.exec(pair))
  const headers: Record<string, string> = {}
  for (const pair of pairs) {
    if (pair?.[1] === undefined) return Option.none()
    headers[pair[1]] = pair[2] ?? ""
  }
  return Option.some(headers)
}

/** The options of a command. @category options */
export const options = {
  otlpEndpoint: Settings.text("otlp-endpoint").pipe(
    Options.filterMap(
      (text) => isEndpoint(text) ? Option.some(text) : Option.none(),
      "otlp-endpoint must be an http or https URL, such as http://127.0.0.1:4318"
    ),
    Options.optional,
    Options.withDescription("URL of an OpenTelemetry collector (OTLP over HTTP) that gets traces, logs and metrics; nothing is sent without")
  ),
  otlpHeaders: Settings.text("otlp-headers").pipe(
    Options.withDefault(""),
    Options.filterMap(parseHeaders, "otlp-headers must be NAME=VALUE pairs, joined by commas"),
    Options.withDescription("headers sent to the collector: NAME=VALUE pairs, joined by commas; best set in the environment")
  )
}
