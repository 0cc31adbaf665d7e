namespace Engram.Server.Serving;

/// <summary>Requests that wait, bounded by their inputs, and the thread that answers them.</summary>
/// <remarks>
/// The thread takes whatever waits, up to a batch, and never waits for more: alone a request is answered at once, and under load batches
/// grow by themselves. Torch runs on this thread only, so nothing here is asynchronous.
/// </remarks>
internal sealed class PredictionQueue : IDisposable
{
    private const long MostWaitingBytes = 256 << 20;
    private readonly Queue<PredictionWork> _waiting = new();
    private readonly Action<List<PredictionWork>> _answer;
    private readonly string _learner;
    private readonly int _mostWaiting;
    private readonly int _batch;
    private readonly Thread _thread;
    private int _inputs;
    private long _bytes; // of them
    private bool _stopped;

    /// <param name="learner">The learner's name.</param>
    /// <param name="mostWaiting">Most inputs that wait.</param>
    /// <param name="batch">Most inputs that go together; a request that has more goes alone.</param>
    /// <param name="answer">Completes each request it is given; what it throws fails those it has not completed.</param>
    public PredictionQueue(string learner, int mostWaiting, int batch, Action<List<PredictionWork>> answer)
    {
        (_learner, _mostWaiting, _batch, _answer) = (learner, mostWaiting, batch, answer);
        _thread = new Thread(Run) { IsBackground = true, Name = $"predict {learner}" };
        _thread.Start();
    }

    /// <summary>Inputs that wait.</summary>
    public int Waiting => Volatile.Read(ref _inputs);

    /// <summary>Takes in a request.</summary>
    /// <exception cref="OverloadException">Too many inputs wait.</exception>
    public void Add(PredictionWork work)
    {
        lock (_waiting)
        {
            if (_stopped) throw Gone();
            // A request larger than the bound is let in when nothing else waits: it could never be answered otherwise.
            if (_inputs > 0 && _inputs + work.Inputs.Length > _mostWaiting)
                throw new OverloadException(
                    "input", $"predictions: {_inputs} inputs wait, expected at most {_mostWaiting}; try again later", TimeSpan.FromSeconds(1));
            if (_inputs > 0 && _bytes + work.Bytes > MostWaitingBytes)
                throw new OverloadException(
                    "input", $"predictions: {_bytes} bytes of inputs wait, expected at most {MostWaitingBytes}; try again later", TimeSpan.FromSeconds(1));
            _inputs += work.Inputs.Length;
            _bytes += work.Bytes;
            _waiting.Enqueue(work);
            if (_waiting.Count == 1) Monitor.Pulse(_waiting);
        }
    }

    /// <summary>Ends the thread; what waits fails.</summary>
    public void Dispose()
    {
        lock (_waiting)
        {
            if (_stopped) return;
            _stopped = true;
            Monitor.Pulse(_waiting);
        }
        _thread.Join();
        foreach (var work in _waiting)
        {
            work.Version?.Release();
            work.TrySetException(Gone());
        }
    }

    private void Run()
    {
        var batch = new List<PredictionWork>();
        while (Take(batch))
        {
            try
            {
                _answer(batch);
            }
            catch (Exception problem) // a bug or a broken model must not end the thread: the next version may be whole
            {
                foreach (var work in batch) work.TrySetException(problem);
            }
            foreach (var work in batch) work.Version?.Release();
            batch.Clear();
        }
    }

    private bool Take(List<PredictionWork> batch)
    {
        lock (_waiting)
        {
            while (_waiting.Count == 0 && !_stopped) Monitor.Wait(_waiting);
            if (_stopped) return false;
            var inputs = 0;
            while (_waiting.TryPeek(out var next) && (inputs == 0 || inputs + next.Inputs.Length <= _batch))
            {
                inputs += next.Inputs.Length;
                _bytes -= next.Bytes;
                batch.Add(_waiting.Dequeue());
            }
            _inputs -= inputs;
            return true;
        }
    }

    private ConflictException Gone() => new("learner", $"learner: {_learner} was stopped, expected one that serves");
}
