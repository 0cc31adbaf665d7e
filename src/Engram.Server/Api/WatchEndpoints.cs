using Engram.Client;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>What is watched of a learner.</summary>
internal static class WatchEndpoints
{
    private const string Tag = "Watching";

    public static void Map(IEndpointRouteBuilder learner)
    {
        learner.MapGet("/watch", (HttpContext context) => context.Learner().Watch()).For(Role.Operate)
            .Described(Tag, "Watch", "Tells rate and latency, drift, live accuracy, content of the memory, label delay and staleness.", null, 404);
        learner.MapGet("/accuracy", (HttpContext context) => context.Learner().Accuracy()).For(Role.Operate)
            .Described(Tag, "GetAccuracy", "Tells accuracy and forgetting over versions.", null, 404);
    }
}
