using System.CommandLine;
using Engram.Client;
using Engram.Server;
using Engram.Server.Api;
using Engram.Server.Security;
using Engram.Server.Store;
using Spectre.Console;

namespace Engram.Cli.Commands;

/// <summary><c>engram keys</c>: the keys of a service that does not run, for whoever has its folder; the way back in when the last key is lost.</summary>
internal static class KeysCommand
{
    private const string By = "engram keys";

    public static Command Build(CliHost host)
    {
        var command = new Command("keys", "List, make and revoke the keys of a service that is stopped. (A running one: /v1/keys.)")
        {
            List(host), Create(host), Revoke(host),
        };
        command.SetAction(parsed => new Examples.HelpWithExamples().Invoke(parsed));
        Examples.Of(command,
            "engram keys list --data engram-data",
            "engram keys create shop --roles predict feedback --learners tickets",
            "engram keys revoke 3f0a1b2c4d5e6f70");
        return command;
    }

    private static Command List(CliHost host)
    {
        var data = Data();
        var command = new Command("list", "List the keys, without their secrets.") { data, ErrorPolicy.Verbose() };
        command.SetAction(parsed => With(host, parsed.GetValue(data), keys =>
        {
            var table = new Table().AddColumns("id", "name", "roles", "learners", "made", "ends");
            foreach (var key in keys.Keys)
            {
                table.AddRow(new[]
                {
                    key.Id, key.Name, string.Join(", ", key.Roles).ToLowerInvariant(), key.Learners.Count == 0 ? "all" : string.Join(", ", key.Learners),
                    $"{key.Created:yyyy-MM-dd}", key.Expires is { } end ? $"{end:yyyy-MM-dd}" : "never",
                }.Select(Markup.Escape).ToArray());
            }
            host.Console.Write(table);
            return Task.CompletedTask;
        }));
        return command;
    }

    private static Command Create(CliHost host)
    {
        var name = new Argument<string>("name") { Description = "Its name, for the audit log." };
        var data = Data();
        var roles = new Option<Role[]>("--roles") { Description = "What it allows.", AllowMultipleArgumentsPerToken = true, Required = true };
        var learners = new Option<string[]>("--learners") { Description = "The learners it is bound to. [default: all]", AllowMultipleArgumentsPerToken = true, HelpName = "NAME" };
        var days = OptionOf.Number("--days", "Days until it ends.", null, 1, 36_500);
        var command = new Command("create", "Make a key and show it, this once.") { name, data, roles, learners, days, ErrorPolicy.Verbose() };
        command.SetAction(parsed => With(host, parsed.GetValue(data), async keys =>
        {
            var now = host.Clock.GetUtcNow();
            var request = new CreateKeyRequest
            {
                Name = parsed.GetValue(name)!,
                Roles = parsed.GetValue(roles)!,
                Learners = parsed.GetValue(learners) ?? [],
                Expires = parsed.GetResult(days) is { Implicit: false } ? now.AddDays(parsed.GetValue(days)) : null,
            };
            KeyEndpoints.Check(request, now);
            host.Out.WriteLine((await keys.CreateAsync(request, By)).Key);
        }));
        return command;
    }

    private static Command Revoke(CliHost host)
    {
        var id = new Argument<string>("id") { Description = "Its id, as engram keys list shows it." };
        var data = Data();
        var command = new Command("revoke", "Revoke a key.") { id, data, ErrorPolicy.Verbose() };
        command.SetAction(parsed => With(host, parsed.GetValue(data), async keys =>
        {
            if (!await keys.DeleteAsync(parsed.GetValue(id)!, By, null)) throw new UsageException($"id: \"{parsed.GetValue(id)}\" is no key, expected one of engram keys list");
        }));
        return command;
    }

    private static Option<string?> Data() => OptionOf.Text("--data", $"Folder of the service. [default: {ServeCommand.DefaultFolder}]", "DIR");

    private static int With(CliHost host, string? folder, Func<KeyRing, Task> action)
    {
        folder ??= ServeCommand.DefaultFolder;
        if (!Directory.Exists(folder)) throw new UsageException($"--data: \"{folder}\" is no folder, expected that of a service");
        RunAsync().GetAwaiter().GetResult();
        return ExitCode.Success;

        async Task RunAsync()
        {
            await using var store = new SqliteServiceStore(new ServiceOptions { Folder = folder }, host.Clock);
            try
            {
                await action(new KeyRing(store, host.Clock));
            }
            catch (ServiceException problem)
            {
                throw new UsageException($"{problem.Field}: {problem.Message}", problem);
            }
        }
    }
}
