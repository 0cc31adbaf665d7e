using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Engram.Server.Training;

/// <summary>
/// A thread that learns. A service has one for all its networks, since torch's generator is global and serving needs the cores, and one for its
/// closed forms, which draw nothing and are soon done: they need not wait until a network has rested as its share of the processor asks.
/// </summary>
internal sealed partial class Trainer : IDisposable
{
    private const int Nice = 10;
    private readonly BlockingCollection<Action> _jobs = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stopped; // outlives its source
    private readonly Thread _thread;

    public Trainer()
    {
        _stopped = _stopping.Token;
        _thread = new Thread(Run) { IsBackground = true, Name = "learn", Priority = ThreadPriority.BelowNormal };
        _thread.Start();
    }

    /// <summary>Does something on the thread, after what waits already.</summary>
    /// <param name="job">What to do; its token ends it when the service stops or the caller's does.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<T> RunAsync<T>(Func<CancellationToken, T> job, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var taken = 0;
        // What was given up before its turn ends at once; what has begun ends between two of its steps.
        var giveUp = cancellationToken.UnsafeRegister(_ =>
        {
            if (Interlocked.Exchange(ref taken, 1) == 0) done.TrySetCanceled(cancellationToken);
        }, null);
        try
        {
            _jobs.Add(() =>
            {
                giveUp.Dispose();
                if (Interlocked.Exchange(ref taken, 1) == 0) Do(job, done, cancellationToken);
            }, _stopped);
        }
        catch (Exception problem) when (problem is OperationCanceledException or InvalidOperationException)
        {
            done.TrySetCanceled(_stopped);
        }
        return done.Task;
    }

    /// <summary>Ends what is being done between two of its steps, and what waits.</summary>
    public void Dispose()
    {
        if (_stopped.IsCancellationRequested) return;
        _stopping.Cancel();
        _jobs.CompleteAdding();
        _thread.Join();
        _jobs.Dispose();
        _stopping.Dispose();
    }

    private void Do<T>(Func<CancellationToken, T> job, TaskCompletionSource<T> done, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_stopped, cancellationToken);
        try
        {
            either.Token.ThrowIfCancellationRequested();
            done.TrySetResult(job(either.Token));
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            done.TrySetCanceled(either.Token);
        }
        catch (Exception problem) // whatever a job throws is its caller's to know; the thread goes on
        {
            done.TrySetException(problem);
        }
    }

    private void Run()
    {
        // .NET leaves priorities alone on Linux; there a thread is nice by itself, and serving goes first.
        if (OperatingSystem.IsLinux()) _ = SetPriority(0, 0, Nice);
        foreach (var job in _jobs.GetConsumingEnumerable()) job();
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, uint who, int priority);
}
