using Engram.Client;
using Engram.Server.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Api;

/// <summary>What is stored about a person or thing: export and deletion.</summary>
internal static class SubjectEndpoints
{
    private const string Tag = "Subjects";

    public static void Map(IEndpointRouteBuilder learner)
    {
        learner.MapGet("/subjects/{subject}", (HttpContext context, string subject) =>
                context.Learner().ExportSubject(Exactly(context, subject))).For(Role.Operate)
            .Described(Tag, "ExportSubject", "Gives all that is stored about a subject.", null, 404);
        learner.MapDelete("/subjects/{subject}", (HttpContext context, string subject, string? reason) =>
                context.Learner().DeleteSubjectAsync(Exactly(context, subject), context.By(), reason)).For(Role.Operate)
            .Described(Tag, "DeleteSubject", "Deletes what is stored about a subject and unlearns it.", null, 404, 409);
    }

    // Servers leave %2F as it is, so that a/b and a%2Fb cannot be told apart afterwards: the address as sent can.
    private static string Exactly(HttpContext context, string subject)
    {
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (string.IsNullOrEmpty(target) || !subject.Contains('%', StringComparison.Ordinal)) return subject;
        var path = target.Split('?', 2)[0];
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }
}
