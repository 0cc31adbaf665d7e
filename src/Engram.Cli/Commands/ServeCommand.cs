using System.CommandLine;
using Engram.Server;
using Engram.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace Engram.Cli.Commands;

/// <summary><c>engram serve</c>: models that learn while they serve, over HTTP.</summary>
internal static class ServeCommand
{
    /// <summary>Where a service keeps its files unless told otherwise.</summary>
    public const string DefaultFolder = "engram-data";

    public static Command Build(CliHost host)
    {
        var options = new ServeCommandOptions();
        var command = new Command("serve", "Serve learners over HTTP: predictions, feedback, versions, a dashboard. Ctrl-C drains and ends.");
        foreach (var option in options.All) command.Options.Add(option);
        command.Options.Add(ErrorPolicy.Verbose());
        command.SetAction(parsed =>
        {
            // Nothing of the web is loaded before: other commands start without it.
            var (serve, logs) = options.Read(parsed);
            return RunAsync(host, serve, logs).GetAwaiter().GetResult();
        });
        Examples.Of(command,
            "engram serve",
            "engram serve --data /var/lib/engram --port 8080",
            "engram serve --urls https://0.0.0.0:443 --tls-certificate chain.pem --tls-key key.pem",
            "curl -H \"Authorization: Bearer $ENGRAM_KEY\" http://127.0.0.1:7070/v1/learners");
        return command;
    }

    private static async Task<int> RunAsync(CliHost host, ServeOptions options, LogLevel logs)
    {
        await using var server = Create(options, host, logs);
        await server.StartAsync(host.CancellationToken);
        var firstKey = await server.ReadyAsync(host.CancellationToken);
        Announce(host.Out, server, options, firstKey);
        await server.RunAsync(host.CancellationToken);
        host.Out.WriteLine("stopped; nothing acknowledged is lost");
        return ExitCode.Success;
    }

    private static EngramServer Create(ServeOptions options, CliHost host, LogLevel logs)
    {
        try
        {
            return EngramServer.Create(options, host.Clock, logs);
        }
        catch (SpecificationException problem)
        {
            throw new UsageException($"--{problem.Field}: {problem.Message}", problem);
        }
    }

    private static void Announce(TextWriter to, EngramServer server, ServeOptions options, string? firstKey)
    {
        foreach (var address in server.Addresses) to.WriteLine($"listening on {address.GetLeftPart(UriPartial.Authority)}");
        var first = server.Addresses[0];
        to.WriteLine($"  dashboard  {first}");
        to.WriteLine($"  API        {new Uri(first, "docs")}");
        to.WriteLine($"  files      {Path.GetFullPath(options.Service.Folder)}");
        if (options.NoAuth) to.WriteLine("  keys       none are asked for: everyone on this machine may do everything");
        if (firstKey is not null)
        {
            to.WriteLine();
            to.WriteLine("the first key, which may do everything; it is shown only now:");
            to.WriteLine($"  {firstKey}");
            to.WriteLine("send it as \"Authorization: Bearer <key>\"; make others with POST /v1/keys or engram keys");
        }
        to.Flush();
    }
}
