using Engram.Client;
using Engram.Server.Api;
using Engram.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Engram.Server.Security;

/// <summary>What an operation asks of its caller.</summary>
/// <param name="Role">The role; null for everyone.</param>
/// <param name="AllLearners">Whether the key must not be bound to learners.</param>
/// <param name="Failed">Whether it can be done to a learner that could not be opened.</param>
internal sealed record AccessRule(Role? Role, bool AllLearners, bool Failed = false);

/// <summary>A request that was let in: who sends it, and the learner that it names.</summary>
/// <param name="Caller">Who.</param>
/// <param name="Service">The learners.</param>
/// <param name="Learner">The learner in the address; null where the address names none, or one that could not be opened.</param>
internal sealed record Admission(Caller Caller, LearningService Service, LearnerHost? Learner);

/// <summary>Lets in only what a key allows. What is not said to be open is for admins.</summary>
internal sealed class Access(RequestDelegate next, ServeOptions options, Startup startup, RateLimits rates)
{
    private const string Scheme = "Bearer ";

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint() is not RouteEndpoint endpoint) return next(context); // 404, 405 or 415 follows
        var rule = endpoint.Metadata.GetMetadata<AccessRule>() ?? s_strictest;
        if (rule.Role is not { } role) return next(context);

        var opened = startup.Opened;
        var caller = options.NoAuth ? Caller.Anyone : Find(context, opened.Keys);
        rates.Take(caller.Id);

        LearnerHost? learner = null;
        var failed = false;
        if (context.Request.RouteValues.TryGetValue("name", out var value) && value is string name)
        {
            learner = caller.Reaches(name) ? opened.Service.Find(name) : null;
            failed = learner is null && caller.Reaches(name) && opened.Service.Failed.Any(one => one.Specification.Name == name);
            if (learner is null && !failed) throw UnknownLearner(name);
        }
        if (!caller.Has(role))
            throw new RefusedException(StatusCodes.Status403Forbidden, "forbidden", null, $"the key does not allow this, expected the role {role.ToString().ToLowerInvariant()}");
        if (rule.AllLearners && !caller.ReachesAll)
            throw new RefusedException(StatusCodes.Status403Forbidden, "forbidden", null, "the key is bound to learners, expected one for all");

        if (failed && !rule.Failed)
            throw new RefusedException(StatusCodes.Status503ServiceUnavailable, "failed", "name", "the learner could not be opened; the list of learners says why");

        context.Features.Set(new Admission(caller, opened.Service, learner));
        return next(context);
    }

    /// <summary>A learner that is not there, or not there for this caller: nobody can tell which.</summary>
    public static NotFoundException UnknownLearner(string name) => new("name", $"there is no learner \"{Shown.Text(name)}\"");

    private static readonly AccessRule s_strictest = new(Role.Admin, AllLearners: true);

    private static Caller Find(HttpContext context, KeyRing keys)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count == 1 && header[0] is { } text && text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && keys.Find(text.AsSpan(Scheme.Length).Trim()) is { } caller)
            return caller;
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"engram\"";
        throw new RefusedException(StatusCodes.Status401Unauthorized, "unauthorized", null, header.Count == 0
            ? "no key was sent, expected the header Authorization: Bearer ek_..."
            : "the key is not known or has ended, expected the header Authorization: Bearer ek_...");
    }
}

/// <summary>What operations ask of their callers.</summary>
internal static class AccessRules
{
    /// <summary>Open to everyone.</summary>
    public static T Open<T>(this T builder) where T : IEndpointConventionBuilder => builder.WithMetadata(new AccessRule(null, false));

    /// <summary>For callers with a role.</summary>
    public static T For<T>(this T builder, Role role) where T : IEndpointConventionBuilder => builder.WithMetadata(new AccessRule(role, false));

    /// <summary>For callers with a role, also where the learner could not be opened.</summary>
    public static T ForFailedToo<T>(this T builder, Role role) where T : IEndpointConventionBuilder =>
        builder.WithMetadata(new AccessRule(role, false, Failed: true));

    /// <summary>For callers with a role whose key is bound to no learner.</summary>
    public static T ForAllLearners<T>(this T builder, Role role) where T : IEndpointConventionBuilder =>
        builder.WithMetadata(new AccessRule(role, true));

    /// <summary>Who sends this request.</summary>
    public static Admission Admission(this HttpContext context) =>
        context.Features.Get<Admission>() ?? throw new InvalidOperationException("An operation that asks for no role has no caller.");
}
