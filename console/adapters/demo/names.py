"""Invented names of people in many languages, each with its spelling for e-mail addresses."""
# ruff: noqa: RUF001  letters that look like others are what these names are for

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tongue:
    """Given and family names of one language; `is_family_first` says in which order they stand."""

    code: str
    country: str
    dial: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    is_family_first: bool = False
    joint: str = " "

    def full(self, given: str, family: str) -> str:
        """Return a whole name as it is written in the language."""
        return self.joint.join((family, given) if self.is_family_first else (given, family))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Return names with their spelling in ASCII: `Zoë=zoe`, or the name itself in small letters."""
    found = []
    for word in text.split():
        name, _, ascii_name = word.partition("=")
        found.append((name, ascii_name or name.lower()))
    return tuple(found)


TONGUES: tuple[Tongue, ...] = (
    Tongue(
        "en",
        "US",
        "+1 555",
        _pairs("Olivia Noah Amara Ethan Grace Caleb Harper Isaac Nora Wyatt Ruby Julian Hazel Miles Ivy Jonah"),
        _pairs("Bennett Okafor Hayes Sinclair Whitfield O'Connor=oconnor Marsh Delgado Pruitt Lockwood Vance Fields"),
    ),
    Tongue(
        "en",
        "GB",
        "+44 20 7946",
        _pairs("Imogen Rhys Freya Callum Poppy Alistair Niamh Dylan Beatrix Hamish Saoirse=saoirse Owen"),
        _pairs(
            "Ashworth MacLeod=macleod Pemberton Thwaite Llewellyn D'Arcy=darcy Hargreaves Fairbairn Okonkwo Penrose"
        ),
    ),
    Tongue(
        "de",
        "DE",
        "+49 30 901820",
        _pairs(
            "Jürgen=juergen Anneliese Björn=bjoern Käthe=kaethe Lukas Mareike Thorsten Greta Sören=soeren Ulrike Jonas"
        ),
        _pairs("Müller=mueller Weiß=weiss Schröder=schroeder Vogelsang Hüttl=huettl Krämer=kraemer Brandt Zoellner"),
    ),
    Tongue(
        "fr",
        "FR",
        "+33 1 99 00",
        _pairs(
            "Élodie=elodie François=francois Maëlle=maelle Thibault Zoé=zoe Aurélien=aurelien Noémie=noemie Loïc=loic"
        ),
        _pairs(
            "Lefèvre=lefevre Dupont Béranger=beranger Rousseau Gauthier d'Aubigné=daubigne Marchand Çelik=celik Moreau"
        ),
    ),
    Tongue(
        "es",
        "ES",
        "+34 910 000",
        _pairs("Íñigo=inigo Lucía=lucia Álvaro=alvaro Begoña=begona Martín=martin Nuria Andrés=andres Inés=ines"),
        _pairs("Muñoz=munoz García=garcia Echevarría=echevarria Peña=pena Ibáñez=ibanez Castellanos Núñez=nunez"),
    ),
    Tongue(
        "pt",
        "BR",
        "+55 11 5550",
        _pairs("João=joao Beatriz Thiago Conceição=conceicao Luísa=luisa Caetano Antônia=antonia Davi Inácio=inacio"),
        _pairs(
            "Gonçalves=goncalves Araújo=araujo Magalhães=magalhaes Silveira Falcão=falcao Ribeiro Assunção=assuncao"
        ),
    ),
    Tongue(
        "pl",
        "PL",
        "+48 22 000",
        _pairs(
            "Łukasz=lukasz Zofia Grażyna=grazyna Paweł=pawel Agnieszka Wojciech Małgorzata=malgorzata Bożena=bozena"
        ),
        _pairs("Wiśniewski=wisniewski Kowalczyk Żak=zak Dąbrowska=dabrowska Szczepański=szczepanski Wójcik=wojcik"),
    ),
    Tongue(
        "is",
        "IS",
        "+354 555",
        _pairs("Þórdís=thordis Guðmundur=gudmundur Æsa=aesa Ragnheiður=ragnheidur Sigurður=sigurdur Björk=bjork"),
        _pairs(
            "Guðjónsdóttir=gudjonsdottir Þorláksson=thorlaksson Hallgrímsson=hallgrimsson Eiríksdóttir=eiriksdottir"
        ),
    ),
    Tongue(
        "tr",
        "TR",
        "+90 212 000",
        _pairs("İpek=ipek Çağla=cagla Oğuz=oguz Şebnem=sebnem Gökhan=gokhan Işıl=isil Ömer=omer Tuğçe=tugce"),
        _pairs("Yıldız=yildiz Öztürk=ozturk Aydın=aydin Kılıç=kilic Güneş=gunes Şahin=sahin Doğan=dogan"),
    ),
    Tongue(
        "vi",
        "VN",
        "+84 24 000",
        _pairs("Ánh=anh Đức=duc Hương=huong Quân=quan Thảo=thao Bảo=bao Ngọc=ngoc Phượng=phuong"),
        _pairs("Nguyễn=nguyen Trần=tran Phạm=pham Đặng=dang Bùi=bui Võ=vo Huỳnh=huynh"),
        is_family_first=True,
    ),
    Tongue(
        "ja",
        "JP",
        "+81 3 0000",
        _pairs("結衣=yui 陽翔=haruto さくら=sakura 健太=kenta 美咲=misaki 蓮=ren 千尋=chihiro 大輔=daisuke"),
        _pairs("佐藤=sato 高橋=takahashi 渡辺=watanabe 小林=kobayashi 山口=yamaguchi 長谷川=hasegawa 五十嵐=igarashi"),
        is_family_first=True,
        joint="\u3000",
    ),
    Tongue(
        "ko",
        "KR",
        "+82 2 000",
        _pairs("서연=seoyeon 민준=minjun 지우=jiwoo 하은=haeun 도윤=doyun 수빈=subin 예준=yejun"),
        _pairs("김=kim 이=lee 박=park 최=choi 남궁=namgung 정=jung 강=kang"),
        is_family_first=True,
        joint="",
    ),
    Tongue(
        "zh",
        "TW",
        "+886 2 0000",
        _pairs("怡君=yijun 志明=zhiming 淑芬=shufen 冠宇=guanyu 雅婷=yating 家豪=jiahao 詩涵=shihan"),
        _pairs("王=wang 陳=chen 林=lin 歐陽=ouyang 張簡=changchien 黃=huang 吳=wu"),
        is_family_first=True,
        joint="",
    ),
    Tongue(
        "ar",
        "AE",
        "+971 4 000",
        _pairs("ليلى=layla عمر=omar نور=noor خالد=khalid ياسمين=yasmin طارق=tariq مريم=maryam سامي=sami"),
        _pairs("الهاشمي=alhashimi القاسم=alqasim النجار=alnajjar الخطيب=alkhatib حداد=haddad المنصوري=almansoori"),
    ),
    Tongue(
        "he",
        "IL",
        "+972 3 000",
        _pairs("נועה=noa יונתן=yonatan תמר=tamar איתי=itai שירה=shira אורי=uri מיכל=michal"),
        _pairs("כהן=cohen לוי=levi מזרחי=mizrahi פרידמן=friedman אברהמי=avrahami שפירא=shapira"),
    ),
    Tongue(
        "hi",
        "IN",
        "+91 80 0000",
        _pairs("अनन्या=ananya अर्जुन=arjun प्रिया=priya रोहन=rohan दीपिका=deepika विक्रम=vikram मीरा=meera"),
        _pairs("शर्मा=sharma पटेल=patel चौधरी=chaudhary अय्यर=iyer बनर्जी=banerjee राव=rao"),
    ),
    Tongue(
        "el",
        "GR",
        "+30 210 000",
        _pairs("Αλέξανδρος=alexandros Ελένη=eleni Γιώργος=giorgos Ζωή=zoi Δημήτρης=dimitris Καλλιόπη=kalliopi"),
        _pairs("Παπαδόπουλος=papadopoulos Νικολάου=nikolaou Οικονόμου=oikonomou Βασιλείου=vasileiou"),
    ),
    Tongue(
        "uk",
        "UA",
        "+380 44 000",
        _pairs("Олена=olena Богдан=bohdan Соломія=solomiia Тарас=taras Ярина=yaryna Єлизавета=yelyzaveta"),
        _pairs("Шевченко=shevchenko Ковальчук=kovalchuk Ґонта=gonta Мельник=melnyk Лисенко=lysenko"),
    ),
    Tongue(
        "yo",
        "NG",
        "+234 1 000",
        _pairs("Ọlájídé=olajide Adébáyọ̀=adebayo Fúnmiláyọ̀=funmilayo Chidi Ngozi Ṣadé=sade Babátúndé=babatunde"),
        _pairs("Adéyẹmí=adeyemi Ọlátúnjí=olatunji Eze Nwosu Balógun=balogun Ògúnlẹ́yẹ=ogunleye"),
    ),
)
