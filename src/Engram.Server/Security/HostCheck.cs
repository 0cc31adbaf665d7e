using Engram.Server.Api;
using Engram.Server.Hosting;
using Microsoft.AspNetCore.Http;

namespace Engram.Server.Security;

/// <summary>
/// Refuses what a web page of another origin makes a browser send: requests under a name that is not the service's (DNS rebinding), and
/// changes with the origin of another site. Callers that are no browsers send no origin.
/// </summary>
internal sealed class HostCheck(RequestDelegate next, Listening listening)
{
    public Task InvokeAsync(HttpContext context)
    {
        var host = context.Request.Host;
        if (!listening.AnswersTo(host.Host))
            throw new RefusedException(StatusCodes.Status421MisdirectedRequest, "host", "host",
                $"\"{Shown.Text(host.Host)}\", expected a name that this service answers to (--hosts)");
        var origin = context.Request.Headers.Origin;
        if (origin.Count > 0 && !IsSafe(context.Request.Method) && !IsOwn(origin.ToString(), context.Request))
            throw new RefusedException(StatusCodes.Status403Forbidden, "origin", "origin",
                "another site's page may not change anything here, expected no origin or this service's");
        return next(context);
    }

    private static bool IsSafe(string method) => HttpMethods.IsGet(method) || HttpMethods.IsHead(method);

    // The scheme may differ where a proxy adds TLS.
    private static bool IsOwn(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && string.Equals(uri.Host, request.Host.Host, StringComparison.OrdinalIgnoreCase)
        && (request.Host.Port is not { } port || port == uri.Port);

}
