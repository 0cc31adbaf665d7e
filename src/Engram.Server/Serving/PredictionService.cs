using System.Globalization;
using Engram.Client;
using Engram.Server.Store;
using Engram.Server.Versions;

namespace Engram.Server.Serving;

/// <summary>Answers a learner's requests by the versions of its <see cref="Route"/>, which can be changed while they answer.</summary>
internal sealed class PredictionService : IDisposable
{
    private const int MostAlternatives = 100;
    private const int LongestId = 128;
    private const int LongestSubject = 256;
    private readonly LearnerContext _learner;
    private readonly PredictionQueue _queue;
    private readonly LoadedVersions _others;
    private readonly Lock _changing = new();
    private Route? _route;
    private long _number;

    /// <param name="learner">The learner.</param>
    /// <param name="load">Loads a version.</param>
    public PredictionService(LearnerContext learner, Func<int, ServedModel> load)
    {
        _learner = learner;
        _others = new LoadedVersions(load);
        _queue = new PredictionQueue(learner.Specification.Name, learner.Options.MaxWaitingPredictions, learner.Options.MaxBatch, Answer);
    }

    /// <summary>Told of every prediction of the champion that the shadow answered too: the shadow's version, id, what the champion said, what the shadow said.</summary>
    public Action<int, string, string, string>? Compared { get; set; }

    /// <summary>Told, after they were given, of predictions, their inputs and each request's latency; on the thread that predicts.</summary>
    public Action<ServedModel, byte[][], IReadOnlyList<PredictionRecord>, TimeSpan[]>? Answered { get; set; }

    /// <summary>Inputs that wait.</summary>
    public int Waiting => _queue.Waiting;

    /// <summary>Bytes of the models that answer.</summary>
    public long MemoryBytes => Volatile.Read(ref _route) is { } route
        ? route.Champion.MemoryBytes + (route.Canary?.MemoryBytes ?? 0) + (route.Shadow?.MemoryBytes ?? 0) : 0;

    /// <summary>The labels that the champion knows.</summary>
    public IReadOnlyList<string> Labels => Volatile.Read(ref _route)?.Champion.Labels ?? [];

    /// <summary>The champion with a lease; null before the first.</summary>
    public ServedModel? LeaseChampion()
    {
        while (Volatile.Read(ref _route) is { } route)
            if (route.Champion.TryLease()) return route.Champion;
        return null;
    }

    /// <summary>The canary or the shadow with a lease; null where there is none.</summary>
    public ServedModel? LeaseChallenger(int version)
    {
        var route = Volatile.Read(ref _route);
        var model = route?.Canary?.Version == version ? route.Canary : route?.Shadow?.Version == version ? route.Shadow : null;
        return model is not null && model.TryLease() ? model : null;
    }

    /// <summary>Changes which versions answer.</summary>
    /// <param name="change">
    /// The new route of the old one; it owns a lease on every model it names that the old one did not, and null ends answering.
    /// </param>
    public void Change(Func<Route?, Route?> change)
    {
        lock (_changing)
        {
            var (old, next) = (_route, change(_route));
            foreach (var kept in Models(next).Intersect(Models(old))) kept.TryLease(); // alive, since the old route still has its own
            Volatile.Write(ref _route, next);
            old?.Release();
        }
    }

    /// <summary>Lets a version go that was loaded because somebody asked for it by name.</summary>
    public void Forget(int version) => _others.Forget(version);

    /// <summary>Predicts one input.</summary>
    public async ValueTask<PredictResponse> PredictAsync(PredictRequest request, CancellationToken cancellationToken)
    {
        Check(request.Subject, request.Alternatives);
        if (request.PredictionId is { } own && own.Length is 0 or > LongestId)
            throw new InputException("predictionId", $"predictionId: {own.Length} characters, expected 1 to {LongestId}");
        var packed = _learner.Encoder.Pack(request.Input, "input");
        var responses = await AskAsync(
            [packed], [request.PredictionId ?? NewId()], request.Subject, request.Alternatives, request.Version, cancellationToken).ConfigureAwait(false);
        return responses[0];
    }

    /// <summary>Predicts several inputs by one version.</summary>
    public async ValueTask<PredictBatchResponse> PredictAsync(PredictBatchRequest request, CancellationToken cancellationToken)
    {
        Check(request.Subject, request.Alternatives);
        if (request.Inputs is null || request.Inputs.Count == 0) throw new InputException("inputs", "inputs: none, expected one or more");
        if (request.Inputs.Count > _learner.Options.MaxWaitingPredictions)
            throw new InputException("inputs", $"inputs: {request.Inputs.Count}, expected at most {_learner.Options.MaxWaitingPredictions}");
        var packed = new byte[request.Inputs.Count][];
        for (var i = 0; i < packed.Length; i++) packed[i] = _learner.Encoder.Pack(request.Inputs[i], string.Create(CultureInfo.InvariantCulture, $"inputs[{i}]"));
        var ids = new string[packed.Length];
        for (var i = 0; i < ids.Length; i++) ids[i] = NewId();
        return new PredictBatchResponse(await AskAsync(
            packed, ids, request.Subject, request.Alternatives, request.Version, cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _queue.Dispose();
        Change(_ => null);
        _others.Dispose();
    }

    private async Task<PredictResponse[]> AskAsync(
        byte[][] inputs, string[] ids, string? subject, int alternatives, string? version, CancellationToken cancellationToken)
    {
        var asked = version is null or VersionBook.ChampionAlias ? null : await LeaseAsync(version, cancellationToken).ConfigureAwait(false);
        if (asked is null && Volatile.Read(ref _route) is null) throw NothingLearnt();
        var work = new PredictionWork(inputs, ids, subject, alternatives, asked, _learner.Clock.GetTimestamp());
        try
        {
            _queue.Add(work);
        }
        catch (ServiceException)
        {
            asked?.Release();
            throw;
        }
        return await work.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<ServedModel> LeaseAsync(string version, CancellationToken cancellationToken)
    {
        var info = int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? _learner.Book.Get(number)
            : _learner.Book.ByAlias(version) ?? throw new NotFoundException("version", $"version: {version}, expected a number or an alias");
        var route = Volatile.Read(ref _route);
        if (route?.Champion.Version == info.Version && route.Champion.TryLease()) return route.Champion;
        return LeaseChallenger(info.Version) ?? await _others.LeaseAsync(info.Version, cancellationToken).ConfigureAwait(false);
    }

    private void Answer(List<PredictionWork> batch)
    {
        Route? route;
        do route = Volatile.Read(ref _route);
        while (route is not null && !route.TryLease());
        try
        {
            var chosen = batch.ConvertAll(work => work.Version ?? route?.Choose(work.Subject, _number++));
            foreach (var model in chosen.Distinct())
            {
                var part = batch.Where((_, i) => ReferenceEquals(chosen[i], model)).ToList();
                if (model is null)
                {
                    foreach (var work in part) work.TrySetException(NothingLearnt());
                    continue;
                }
                try
                {
                    AnswerBy(model, part, route);
                }
#pragma warning disable CA1031 // A version that fails must not take with it what is asked of another, whatever it fails by.
                catch (Exception problem)
                {
                    foreach (var work in part) work.TrySetException(problem);
                }
#pragma warning restore CA1031
            }
        }
        finally
        {
            route?.Release();
        }
    }

    private void AnswerBy(ServedModel model, List<PredictionWork> part, Route? route)
    {
        var records = new List<PredictionRecord>(part.Count);
        var responses = new PredictResponse[part.Count][];
        var rows = part.Count == 1 ? part[0].Inputs : [.. part.SelectMany(work => work.Inputs)];
        var now = _learner.Clock.GetUtcNow();
        var (scored, next) = (model.ScoreAll(rows, _learner.Options.MaxBatch), 0);
        for (var w = 0; w < part.Count; w++)
        {
            var work = part[w];
            responses[w] = new PredictResponse[work.Inputs.Length];
            for (var i = 0; i < work.Inputs.Length; i++)
            {
                var said = responses[w][i] = model.Respond(scored, next++, work.Ids[i], work.Alternatives);
                records.Add(new PredictionRecord(said.PredictionId, now, said.Version, said.Label, said.Probability, said.Unknown, work.Inputs[i], work.Subject));
            }
        }
        // Known before it is given, so that feedback can never come too early.
        _learner.Store.Remember(records);
        for (var w = 0; w < part.Count; w++) part[w].TrySetResult(responses[w]);
        Answered?.Invoke(model, rows, records, [.. part.Select(work => _learner.Clock.GetElapsedTime(work.Came))]);
        if (route?.Shadow is { } shadow && ReferenceEquals(model, route.Champion)) AskShadow(shadow, rows, records);
    }

    private void AskShadow(ServedModel shadow, byte[][] rows, List<PredictionRecord> said)
    {
        var scored = shadow.ScoreAll(rows, _learner.Options.MaxBatch);
        for (var i = 0; i < said.Count; i++) Compared?.Invoke(shadow.Version, said[i].Id, said[i].Label, shadow.Labels[scored.Best(i)]);
    }

    private string NewId() => Guid.CreateVersion7(_learner.Clock.GetUtcNow()).ToString("N");

    private static IEnumerable<ServedModel> Models(Route? route) =>
        route is null ? [] : new[] { route.Champion, route.Canary, route.Shadow }.OfType<ServedModel>();

    private static void Check(string? subject, int alternatives)
    {
        if (subject is not null && (subject.Length == 0 || subject.Length > LongestSubject))
            throw new InputException("subject", $"subject: {subject.Length} characters, expected 1 to {LongestSubject}");
        if (alternatives is < 0 or > MostAlternatives)
            throw new InputException("alternatives", $"alternatives: {alternatives}, expected 0 to {MostAlternatives}");
    }

    private ConflictException NothingLearnt() =>
        new("learner", $"learner: {_learner.Specification.Name} has published nothing yet, expected feedback to learn from first");
}
