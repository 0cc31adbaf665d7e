using System.Diagnostics;
using Engram.Client;

namespace Engram.ServeBench;

/// <summary>The built tool, serving a folder as a process of its own.</summary>
internal sealed class ServiceProcess : IDisposable
{
    private static readonly string s_root = Root();
    private readonly Process _process;

    private ServiceProcess(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    /// <summary>How long it took from the start of the process until it was ready.</summary>
    public TimeSpan Ready { get; private init; }

    /// <summary>What the process holds in memory.</summary>
    public double ResidentMegabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1e6;
        }
    }

    public static string Mnist(string file) => Path.Combine(s_root, "data", "mnist", file);

    public static async Task<ServiceProcess> StartAsync(string folder)
    {
        var info = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var arg in (string[])[Path.Combine(s_root, "src", "Engram.Cli", "bin", "Release", "net10.0", "Engram.Cli.dll"), "serve",
            "--data", folder, "--port", "0", "--no-auth", "--max-rate", "0", "--logs", "error"]) info.ArgumentList.Add(arg);
        var started = Stopwatch.GetTimestamp();
        var process = Process.Start(info)!;
        const string Says = "listening on ";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith(Says, StringComparison.Ordinal)) continue;
            _ = process.StandardOutput.ReadToEndAsync();
            return new ServiceProcess(process, new Uri(line[Says.Length..])) { Ready = Stopwatch.GetElapsedTime(started) };
        }
        throw new InvalidOperationException("The service did not start.");
    }

    public EngramClient Client() => new(Address, null, new EngramClientOptions { Retries = 0, Timeout = TimeSpan.FromMinutes(3) });

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Engram.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }
}
