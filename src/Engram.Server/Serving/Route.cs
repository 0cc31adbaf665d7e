namespace Engram.Server.Serving;

/// <summary>Which versions answer. Immutable: a change of versions is a change of one reference.</summary>
/// <param name="Champion">Answers.</param>
/// <param name="Canary">Answers a share, where a new version is tried.</param>
/// <param name="Percent">That share.</param>
/// <param name="Shadow">Answers unseen, beside the champion.</param>
internal sealed record Route(ServedModel Champion, ServedModel? Canary = null, double Percent = 0, ServedModel? Shadow = null)
{
    /// <summary>Leases on all of them, unless this route was replaced and one of them is gone.</summary>
    public bool TryLease()
    {
        if (!Champion.TryLease()) return false;
        if (Canary is null || Canary.TryLease())
        {
            if (Shadow is null || Shadow.TryLease()) return true;
            Canary?.Release();
        }
        Champion.Release();
        return false;
    }

    /// <summary>Gives the leases back.</summary>
    public void Release()
    {
        Champion.Release();
        Canary?.Release();
        Shadow?.Release();
    }

    /// <summary>The version for a request: the canary for its share, always the same for the same subject.</summary>
    /// <param name="subject">Whom the request is about; null for nobody.</param>
    /// <param name="number">The request's number.</param>
    public ServedModel Choose(string? subject, long number)
    {
        if (Canary is null) return Champion;
        var hash = 14695981039346656037; // FNV-1a
        if (subject is null) hash = (hash ^ (ulong)number) * 0x9E3779B97F4A7C15;
        else foreach (var letter in subject) hash = (hash ^ letter) * 1099511628211;
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd; // the mixer of MurmurHash3
        return (hash ^ (hash >> 33)) % 10_000 < Percent * 100 ? Canary : Champion;
    }
}
