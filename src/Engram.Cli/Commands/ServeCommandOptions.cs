using System.CommandLine;
using Engram.Server;
using Engram.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace Engram.Cli.Commands;

/// <summary>The options of <c>engram serve</c>.</summary>
internal sealed class ServeCommandOptions
{
    private static readonly string[] s_levels = ["debug", "information", "warning", "error", "none"];

    private readonly Option<string?> _data = OptionOf.Text("--data", $"Folder of all files. [default: {ServeCommand.DefaultFolder}]", "DIR");

    private readonly Option<string[]> _urls = new("--urls")
    {
        Description = "Where to listen; may be repeated. [default: http://127.0.0.1:7070]",
        HelpName = "URL",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<long> _port = OptionOf.Number("--port", "Listen on this port of 127.0.0.1; 0 chooses a free one.", null, 0, 65535);

    private readonly Option<string[]> _hosts = new("--hosts")
    {
        Description = "Names that the service answers to; others are refused. [default: those of --urls]",
        HelpName = "NAME",
        AllowMultipleArgumentsPerToken = true,
    };

    private readonly Option<bool> _noAuth = OptionOf.Switch("--no-auth", "Ask for no keys. Only on loopback.");
    private readonly Option<bool> _insecure = OptionOf.Switch("--insecure", "Let other machines connect without TLS, behind a proxy that adds it.");
    private readonly Option<string?> _certificate = OptionOf.Text("--tls-certificate", "Certificate chain in PEM, or PKCS #12.", "FILE");
    private readonly Option<string?> _key = OptionOf.Text("--tls-key", "Private key in PEM, if it is in a file of its own.", "FILE");
    private readonly Option<long> _threads = OptionOf.Number("--threads", "Threads inside one operation.", 1, 1, 1024);
    private readonly Option<long> _rate = OptionOf.Number("--max-rate", "Requests per second of one key; 0 for any number.", new RequestLimits().RequestsPerSecond, 0, int.MaxValue);
    private readonly Option<long> _batch = OptionOf.Number("--max-batch", "Inputs or feedbacks in one request.", new RequestLimits().MaxBatch, 1, 1_000_000);
    private readonly Option<long> _body = OptionOf.Number("--max-body", "Bytes of one request; imported files may have 1 GiB.", new RequestLimits().MaxBodyBytes, 1024, int.MaxValue);
    private readonly Option<string?> _logs = OptionOf.Text("--logs", $"Least that is logged, as JSON on standard error: {string.Join(", ", s_levels)}. [default: information]", "LEVEL");

    public IReadOnlyList<Option> All => [_data, _urls, _port, _hosts, _noAuth, _insecure, _certificate, _key, _threads, _rate, _batch, _body, _logs];

    /// <summary>What was asked for.</summary>
    /// <exception cref="UsageException">An option is wrong.</exception>
    public (ServeOptions Options, LogLevel Logs) Read(ParseResult parsed)
    {
        var urls = parsed.GetValue(_urls) ?? [];
        if (parsed.GetResult(_port) is { Implicit: false })
        {
            if (urls.Length > 0) throw new UsageException($"--port: \"{parsed.GetValue(_port)}\" together with --urls, expected one of them");
            urls = [$"http://127.0.0.1:{parsed.GetValue(_port)}"];
        }
        var folder = parsed.GetValue(_data) ?? ServeCommand.DefaultFolder;
        if (File.Exists(folder)) throw new UsageException($"--data: \"{folder}\" is a file, expected a folder");
        return (new ServeOptions
        {
            Service = new ServiceOptions { Folder = folder, Threads = (int)parsed.GetValue(_threads) },
            Urls = urls.Length > 0 ? urls : [ServeOptions.DefaultUrl],
            Hosts = parsed.GetValue(_hosts) ?? [],
            NoAuth = parsed.GetValue(_noAuth),
            Insecure = parsed.GetValue(_insecure),
            TlsCertificate = parsed.GetValue(_certificate),
            TlsKey = parsed.GetValue(_key),
            Limits = new RequestLimits
            {
                RequestsPerSecond = (int)parsed.GetValue(_rate),
                MaxBatch = (int)parsed.GetValue(_batch),
                MaxBodyBytes = parsed.GetValue(_body),
            },
        }, Level(parsed.GetValue(_logs)));
    }

    private static LogLevel Level(string? name)
    {
        if (name is null) return LogLevel.Information;
        return s_levels.Contains(name) ? Enum.Parse<LogLevel>(name, ignoreCase: true) : throw new UsageException($"--logs: \"{name}\", expected one of {string.Join(", ", s_levels)}");
    }
}
