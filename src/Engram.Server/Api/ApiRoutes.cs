using Engram.Client;
using Engram.Server.Hosting;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>All operations under their addresses.</summary>
internal static class ApiRoutes
{
    /// <summary>Maps <c>/v1</c>, health, the dashboard and the documentation.</summary>
    public static void MapEngram(this IEndpointRouteBuilder app, ServeOptions options, Startup startup, TimeProvider clock)
    {
        var v1 = app.MapGroup("/v1");
        LearnerEndpoints.Map(v1);
        KeyEndpoints.Map(v1, startup, clock);
        AuditEndpoints.Map(v1);

        var learner = v1.MapGroup("/learners/{name}");
        PredictionEndpoints.Map(learner, options.Limits);
        FeedbackEndpoints.Map(learner, options.Limits);
        VersionEndpoints.Map(learner, options.Limits);
        ExampleEndpoints.Map(learner);
        WatchEndpoints.Map(learner);
        EventEndpoints.Map(learner, options.Limits, startup);
        SubjectEndpoints.Map(learner);

        HealthEndpoints.Map(app, startup);
        DocumentationEndpoints.Map(app);
        DashboardEndpoints.Map(app);
    }

    /// <summary>Names an operation and says what it does; the problems that every operation may answer with are added.</summary>
    public static RouteHandlerBuilder Described(this RouteHandlerBuilder builder, string tag, string id, string summary, string? description = null, params int[] problems)
    {
        builder.WithTags(tag).WithName(id).WithSummary(summary);
        if (description is not null) builder.WithDescription(description);
        foreach (var status in problems) builder.ProducesProblem(status);
        return builder;
    }

    /// <summary>States what an operation may be refused with.</summary>
    public static RouteHandlerBuilder ProducesProblem(this RouteHandlerBuilder builder, int status) =>
        builder.Produces<Problem>(status, "application/problem+json");

    /// <summary>The learner in the address.</summary>
    public static LearnerHost Learner(this HttpContext context) =>
        context.Admission().Learner ?? throw new InvalidOperationException("The address of this operation names no learner.");

    /// <summary>Who asks, for the audit log.</summary>
    public static string By(this HttpContext context) => context.Admission().Caller.Signature;
}
