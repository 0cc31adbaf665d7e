using Engram.Client;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>The audit log: every change, who made it and why.</summary>
internal static class AuditEndpoints
{
    private const int Most = 10_000;

    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/audit", Read).For(Role.Operate)
            .Described("Audit", "ReadAudit", "Lists changes, the newest first.",
                "Keys that are bound to learners must name one of them. Changes of keys are shown to admins of all learners only.", 400, 404);

    private static IReadOnlyList<AuditEntry> Read(HttpContext context, string? learner, int limit = 100)
    {
        if (limit is < 1 or > Most) throw RefusedException.BadInput("limit", $"{limit}, expected 1 to {Most}");
        var (caller, service, _) = context.Admission();
        if (learner is null && !caller.ReachesAll) throw RefusedException.BadInput("learner", "is missing, expected one that the key is bound to");
        if (learner is not null && !caller.Reaches(learner)) throw new NotFoundException("learner", $"there is no learner \"{Shown.Text(learner)}\"");
        var entries = service.Store.ReadAudit(learner, limit);
        return caller.Has(Role.Admin) && caller.ReachesAll ? entries : [.. entries.Where(entry => entry.Learner is not null)];
    }
}
