/** Traces, logs and metrics to an OpenTelemetry collector, by OTLP over HTTP with JSON bodies. */
import * as Otlp from "@effect/opentelemetry/Otlp"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** @category models */
export interface Options {
  /** Base URL of the collector, for example `http://127.0.0.1:4318`; traces go to `/v1/traces` below it, logs to `/v1/logs`, metrics to `/v1/metrics`. */
  readonly endpoint: string
  /** What the collector shows as the name of the service. */
  readonly service: string
  readonly version: string
  /** Further attributes of the resource, as `host.name`. */
  readonly attributes?: Readonly<Record<string, string>>
  /** Sent with every export, as credentials. */
  readonly headers?: Readonly<Record<string, string>>
}

/** A collector that accepts connections and says nothing must not gather exports without end. */
const impatient = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.transform(client, (response, request) =>
    Effect.timeoutFail(response, {
      duration: "5 seconds",
      onTimeout: () => new HttpClientError.RequestError({ request, reason: "Transport", description: "no answer within 5 seconds" })
    }))

const client = Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, impatient)).pipe(Layer.provide(FetchHttpClient.layer))

/**
 * Exports in the background as long as the layer lives. A collector that does not answer costs nothing but what was to be sent: exporting
 * stops for a minute and goes on, and the program does not wait for it longer than three seconds when it ends.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<never> =>
  Otlp.layerJson({
    baseUrl: options.endpoint,
    resource: { serviceName: options.service, serviceVersion: options.version, attributes: { ...options.attributes } },
    headers: { ...options.headers },
    maxBatchSize: 1000,
    shutdownTimeout: "3 seconds"
  }).pipe(Layer.provide(client))
