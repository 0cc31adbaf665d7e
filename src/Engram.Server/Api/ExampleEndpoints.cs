using Engram.Client;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>Pinned examples, which every candidate must get right.</summary>
internal static class ExampleEndpoints
{
    private const string Tag = "Examples";

    public static void Map(IEndpointRouteBuilder learner)
    {
        var examples = learner.MapGroup("/examples");
        examples.MapGet("", (HttpContext context) => context.Learner().Examples).For(Role.Operate)
            .Described(Tag, "ListExamples", "Lists the pinned examples.", null, 404);
        examples.MapPost("", PinAsync).For(Role.Operate)
            .Described(Tag, "PinExample", "Pins an example: no candidate that gets it wrong is published.", null, 400, 404, 409, 413, 415);
        examples.MapDelete("/{id}", UnpinAsync).For(Role.Operate)
            .Described(Tag, "UnpinExample", "Takes a pinned example away.", null, 404);
    }

    private static async Task<Created<PinnedExample>> PinAsync(HttpContext context, Body<PinExampleRequest> body)
    {
        var example = await context.Learner().PinExampleAsync(body.Value, context.By());
        return TypedResults.Created($"/v1/learners/{context.Learner().Name}/examples/{Uri.EscapeDataString(example.Id)}", example);
    }

    private static async Task<NoContent> UnpinAsync(HttpContext context, string id, string? reason)
    {
        if (!await context.Learner().UnpinExampleAsync(id, context.By(), reason))
            throw new NotFoundException("id", $"there is no example \"{Shown.Text(id)}\"");
        return TypedResults.NoContent();
    }
}
