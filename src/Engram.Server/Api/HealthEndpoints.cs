using Engram.Client;
using Engram.Server.Hosting;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>Whether the process lives, has started, and takes requests: three questions with three answers.</summary>
internal static class HealthEndpoints
{
    private const string Tag = "Health";

    public static void Map(IEndpointRouteBuilder app, Startup startup)
    {
        var health = app.MapGroup("/health");
        health.MapGet("/live", () => TypedResults.Ok(new HealthReport("alive"))).Open()
            .Described(Tag, "IsAlive", "Says that the process answers; if it does not, restart it.");
        health.MapGet("/startup", () => Of(startup.IsStarted, startup)).Open()
            .Produces<HealthReport>().Produces<HealthReport>(503)
            .Described(Tag, "HasStarted", "Says whether the learners are open.");
        health.MapGet("/ready", () => Of(startup.IsReady, startup)).Open()
            .Produces<HealthReport>().Produces<HealthReport>(503)
            .Described(Tag, "IsReady", "Says whether requests are taken; if not, send them elsewhere for now.");
    }

    private static JsonHttpResult<HealthReport> Of(bool well, Startup startup) => TypedResults.Json(
        new HealthReport(startup.IsStopping ? "stopping" : startup.IsStarted ? "ready" : "starting"), Answers.Json.HealthReport,
        statusCode: well ? 200 : 503);
}
