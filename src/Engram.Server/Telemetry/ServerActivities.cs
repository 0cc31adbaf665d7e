using System.Diagnostics;

namespace Engram.Server.Telemetry;

/// <summary>What the service does besides answering, as spans of traces; they cost nothing while nobody collects them.</summary>
internal static class ServerActivities
{
    private static readonly ActivitySource s_source = new(ServerMetrics.Name);

    /// <summary>Learning and examining a candidate.</summary>
    public static Activity? Learning(string learner, string trigger, int samples) =>
        s_source.StartActivity("engram.learn")?.SetTag("engram.learner", learner).SetTag("engram.trigger", trigger).SetTag("engram.samples", samples);
}
