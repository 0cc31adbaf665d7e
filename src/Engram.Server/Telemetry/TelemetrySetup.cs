using System.Collections;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Engram.Server.Telemetry;

/// <summary>Metrics for Prometheus, metrics and traces for a collector where one is named, logs as JSON lines on standard error.</summary>
internal static class TelemetrySetup
{
    private const string Prefix = "OTEL_";
    private const string Collector = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        // Nothing else of the environment configures the service: an address to listen on would get past the checks of ours.
        builder.Configuration.AddInMemoryCollection(OfEnvironment());
        var sends = !string.IsNullOrEmpty(builder.Configuration[Collector]);

        builder.Services.AddMetrics().AddSingleton<ServerMetrics>();
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("engram", serviceVersion: typeof(TelemetrySetup).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(ServerMetrics.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime");
                metrics.AddPrometheusExporter();
                if (sends) metrics.AddOtlpExporter();
            });
        if (!sends) return; // an activity that nobody collects still costs its request
        telemetry.WithTracing(traces => traces
            .AddSource(ServerMetrics.Name)
            .AddAspNetCoreInstrumentation(options => options.Filter = context => context.Request.Path.StartsWithSegments("/v1"))
            .AddOtlpExporter());
    }

    public static void AddLogs(this WebApplicationBuilder builder, LogLevel level)
    {
        builder.Logging
            .SetMinimumLevel(level)
            .AddFilter("Microsoft", level > LogLevel.Warning ? level : LogLevel.Warning)
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None) // it would make an activity for every request
            .AddJsonConsole(options =>
            {
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    private static IEnumerable<KeyValuePair<string, string?>> OfEnvironment() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>()
        .Where(variable => ((string)variable.Key).StartsWith(Prefix, StringComparison.Ordinal))
        .Select(variable => new KeyValuePair<string, string?>((string)variable.Key, (string?)variable.Value));
}
