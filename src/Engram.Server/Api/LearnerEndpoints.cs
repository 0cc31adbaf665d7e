using Engram.Client;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>Learners: create, list, describe, pause, resume, learn now, delete.</summary>
internal static class LearnerEndpoints
{
    private const string Tag = "Learners";

    public static void Map(IEndpointRouteBuilder v1)
    {
        var learners = v1.MapGroup("/learners");
        learners.MapGet("", List).For(Role.Operate)
            .Described(Tag, "ListLearners", "Lists the learners that the key reaches.");
        learners.MapPost("", CreateAsync).For(Role.Admin)
            .Described(Tag, "CreateLearner", "Creates a learner.",
                "It learns from feedback from now on; it predicts once it has published its first version.", 400, 409, 413, 415);
        learners.MapGet("/{name}", Describe).For(Role.Operate)
            .Described(Tag, "GetLearner", "Describes a learner as it is now.", null, 404);
        learners.MapDelete("/{name}", DeleteAsync).ForFailedToo(Role.Admin)
            .Described(Tag, "DeleteLearner", "Deletes a learner and all it kept.",
                "Keys bound to it alone are revoked; keys bound to others too lose it.", 404);
        learners.MapPost("/{name}/pause", PauseAsync).For(Role.Operate)
            .Described(Tag, "PauseLearner", "Stops learning until it is resumed; goes on serving.", null, 400, 404, 415);
        learners.MapPost("/{name}/resume", ResumeAsync).For(Role.Operate)
            .Described(Tag, "ResumeLearner", "Learns again.", null, 400, 404, 415);
        learners.MapPost("/{name}/learn", LearnAsync).For(Role.Operate)
            .Described(Tag, "Learn", "Learns what waits, now.",
                "Answers when the candidate was published, staged, refused or has failed; 204 when nothing waited.", 400, 404, 409, 415);
    }

    private static IReadOnlyList<LearnerDescription> List(HttpContext context)
    {
        var (caller, service, _) = context.Admission();
        return [.. service.Learners.Select(learner => learner.Describe()).Concat(service.Failed)
            .Where(learner => caller.Reaches(learner.Specification.Name)).OrderBy(learner => learner.Specification.Name, StringComparer.Ordinal)];
    }

    private static async Task<Created<LearnerDescription>> CreateAsync(HttpContext context, Body<LearnerSpecification> body, string? reason)
    {
        var (caller, service, _) = context.Admission();
        // Before anything else: whether there is such a learner already is not for this caller to know.
        if (!caller.Reaches(body.Value.Name))
            throw new RefusedException(403, "forbidden", "name", "the key is bound to other learners");
        var learner = await service.CreateAsync(body.Value, caller.Signature, reason);
        return TypedResults.Created($"/v1/learners/{learner.Name}", learner.Describe());
    }

    private static LearnerDescription Describe(HttpContext context) => context.Learner().Describe();

    private static async Task<NoContent> DeleteAsync(HttpContext context, string name, string? reason)
    {
        var (caller, service, _) = context.Admission();
        if (!await service.DeleteAsync(name, caller.Signature, reason)) throw Access.UnknownLearner(name);
        return TypedResults.NoContent();
    }

    private static async Task<LearnerDescription> PauseAsync(HttpContext context, Body<ReasonRequest> body)
    {
        await context.Learner().PauseAsync(context.By(), body.Value.Reason);
        return context.Learner().Describe();
    }

    private static async Task<LearnerDescription> ResumeAsync(HttpContext context, Body<ReasonRequest> body)
    {
        await context.Learner().ResumeAsync(context.By(), body.Value.Reason);
        return context.Learner().Describe();
    }

    private static async Task<Results<Ok<VersionInfo>, NoContent>> LearnAsync(HttpContext context, Body<ReasonRequest> body) =>
        await context.Learner().LearnAsync(context.By(), body.Value.Reason, context.RequestAborted) is { } version
            ? TypedResults.Ok(version)
            : TypedResults.NoContent();
}
